"""Search in windows of the newest: each text of the index has its place in the order of indexing."""

from alembic import op

revision = "0022"
down_revision = "0021"

STATEMENTS = (
    "ALTER TABLE record_text ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY",
    "CREATE UNIQUE INDEX record_text_place ON record_text (place)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
