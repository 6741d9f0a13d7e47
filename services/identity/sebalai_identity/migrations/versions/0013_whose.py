"""Accounts and invitations are of known persons; names are searched by an index; whose system asked."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    *(
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_person FOREIGN KEY (subject) REFERENCES person"
        for table in ("account", "invitation")
    ),
    # A keeper searches by a part of a name, among all persons of a province.
    "CREATE INDEX person_name ON person USING gin (lower(name) gin_trgm_ops)",
    "CREATE INDEX act_act ON act (act, id)",
    # A system stands for whoever runs it, so two systems of one agency are one hand.
    *(
        f"ALTER TABLE {table} ADD COLUMN asked_by_system_of text REFERENCES agency (slug)"
        for table in ("role_grant", "client_request")
    ),
)


def upgrade() -> None:
    # Trusted since PostgreSQL 13: who may create in the database may have it.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for statement in STATEMENTS:
        op.execute(statement)
