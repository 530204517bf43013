"""Circuits: how often in a row a service has not answered, and since when it is left alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gates", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("gates", sa.Column("opened_at", sa.DateTime(), nullable=True))
    op.add_column("gates", sa.Column("probe_at", sa.DateTime(), nullable=True))
