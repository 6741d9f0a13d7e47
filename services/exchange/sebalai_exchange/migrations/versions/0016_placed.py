"""Where a direct subscription begins by the broker's own clock, once that was asked for."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("ALTER TABLE direct ADD COLUMN placed_at timestamptz")
    # Their consumers were made with this start, and no consumer's start can be changed.
    op.execute("UPDATE direct SET placed_at = starts_at")
