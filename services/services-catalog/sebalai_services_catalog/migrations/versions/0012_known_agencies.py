"""What agencies are called, for exports."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    """
    CREATE TABLE known_agency (
      slug text PRIMARY KEY,
      name text NOT NULL,
      short_name text NOT NULL,
      position integer NOT NULL,
      provenance_status text NOT NULL,
      provenance_source text NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
