"""Whom the gateway trusts before a provider, and by which secret it appears there: by id alone."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    "ALTER TABLE interface ADD COLUMN trust_anchors text NOT NULL DEFAULT ''",
    "ALTER TABLE interface ADD COLUMN credential jsonb",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
