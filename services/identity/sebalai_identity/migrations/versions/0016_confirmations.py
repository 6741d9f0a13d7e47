"""A wish that widens a client which registered itself is approved by two."""

from alembic import op

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    "ALTER TABLE client_request ADD COLUMN confirmed_by text",
    "ALTER TABLE client_request ADD COLUMN confirmed_by_system_of text REFERENCES agency (slug)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
