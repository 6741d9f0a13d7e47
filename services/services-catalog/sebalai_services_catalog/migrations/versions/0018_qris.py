"""The QRIS code of a bill, asked for when somebody wants to pay by it."""

from alembic import op

revision = "0018"
down_revision = "0017"

STATEMENTS = (
    """
    ALTER TABLE bill
      ADD COLUMN qris text,
      ADD COLUMN qris_until timestamptz,
      ADD COLUMN qris_number integer NOT NULL DEFAULT 0 CHECK (qris_number >= 0)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
