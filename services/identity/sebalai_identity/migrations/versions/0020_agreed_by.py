"""An agreement in an interaction is that of the person who gave it."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("ALTER TABLE interaction ADD COLUMN consented_by uuid")
