"""What of an upload has come lies sealed where its class has a key; the wrapped key is here."""

from alembic import op

revision = "0023"
down_revision = "0022"

STATEMENTS = (
    """
    ALTER TABLE upload
      ADD COLUMN security_class text,
      ADD COLUMN key_id text,
      ADD COLUMN wrapped_key bytea,
      ADD CHECK (num_nulls(security_class, key_id, wrapped_key) IN (0, 3))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
