"""Keys that ended because a client's `jwks_uri` no longer told them may come back with it."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("ALTER TABLE application_key ADD COLUMN is_absent boolean NOT NULL DEFAULT false")
