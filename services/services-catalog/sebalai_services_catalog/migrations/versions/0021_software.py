"""Software that agencies publish, described as publiccode.yml."""

from alembic import op

revision = "0021"
down_revision = "0020"

STATEMENTS = (
    """
    CREATE TABLE software (
      slug text PRIMARY KEY,
      agency text NOT NULL,
      application text,
      revision integer NOT NULL,
      publiccode jsonb,
      changed_by text NOT NULL,
      changed_at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
