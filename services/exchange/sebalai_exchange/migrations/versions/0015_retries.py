"""A subscriber's own schedule of retries; without one, the bus's."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE subscription ADD COLUMN retry_pauses integer[], ADD COLUMN retry_days integer, "
        "ADD CHECK ((retry_pauses IS NULL) = (retry_days IS NULL))"
    )
