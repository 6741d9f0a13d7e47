"""An invitation may forget the second factors and passkeys of whoever lost them all."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("ALTER TABLE invitation ADD COLUMN forgets boolean NOT NULL DEFAULT false")
