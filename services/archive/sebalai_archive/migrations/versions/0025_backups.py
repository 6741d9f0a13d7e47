"""When the platform was backed up: `deploy/docker/backup` writes a row once a copy is whole."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute("CREATE TABLE backup (begun_at timestamptz PRIMARY KEY)")
