"""Where a service has its service points, and what the regions are called."""

from alembic import op

revision = "0019"
down_revision = "0018"

STATEMENTS = (
    """
    CREATE TABLE known_region (
      code text PRIMARY KEY,
      name text NOT NULL,
      kind text NOT NULL,
      position integer NOT NULL,
      provenance_status text NOT NULL,
      provenance_source text NOT NULL
    )
    """,
    # Versions of before name no service point.
    "ALTER TABLE service_version ADD COLUMN places text[] NOT NULL DEFAULT '{}'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
