"""The state database: tables, migrations and the only SQL of the program."""
