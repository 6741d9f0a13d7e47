"""When each content was last verified, and what was done about damage."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    """
    CREATE TABLE fixity (
      sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      verified_at timestamptz,
      replicated_at timestamptz,
      state text NOT NULL DEFAULT 'sound' CHECK (state IN ('sound', 'repaired', 'lost'))
    )
    """,
    "CREATE INDEX fixity_oldest ON fixity (verified_at NULLS FIRST)",
    """
    CREATE TABLE fixity_event (
      id uuid PRIMARY KEY,
      sha256 text NOT NULL,
      at timestamptz NOT NULL,
      kind text NOT NULL CHECK (kind IN ('damaged', 'missing', 'repaired', 'lost', 'replica_repaired')),
      note text NOT NULL
    )
    """,
    "CREATE INDEX fixity_event_content ON fixity_event (sha256, id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
