"""Which records came in a package, by their identifier where it was made."""

from alembic import op

revision = "0017"
down_revision = "0016"

IMPORTED = """
    CREATE TABLE imported (
      agency text NOT NULL,
      source uuid NOT NULL,
      record_id uuid NOT NULL REFERENCES record,
      sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      at timestamptz NOT NULL,
      PRIMARY KEY (agency, source)
    )
"""


def upgrade() -> None:
    op.execute(IMPORTED)
