"""When a lease or a delay was given, so that a clock which was put back makes neither longer."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE delivery ADD COLUMN since timestamptz")
