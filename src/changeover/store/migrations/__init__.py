"""Alembic revisions of the state database; the program only ever goes forward."""
