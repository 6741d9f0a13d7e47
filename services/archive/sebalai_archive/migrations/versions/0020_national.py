"""The queue of letters to and from the national application, and how far its list was read."""

from alembic import op

revision = "0020"
down_revision = "0019"

STATEMENTS = (
    """
    CREATE TABLE national_item (
      id uuid PRIMARY KEY,
      direction text NOT NULL CHECK (direction IN ('out', 'in')),
      agency text NOT NULL,
      national_id text,
      outgoing_id uuid UNIQUE REFERENCES outgoing_letter,
      incoming_id uuid REFERENCES incoming_letter,
      sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      facts jsonb,
      state text NOT NULL CHECK (state IN
        ('waiting', 'done', 'refused', 'conflict', 'duplicate')),
      attempts integer NOT NULL DEFAULT 0,
      next_at timestamptz NOT NULL,
      problem text,
      created_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL,
      CHECK ((direction = 'out') = (outgoing_id IS NOT NULL)),
      CHECK (direction = 'out' OR national_id IS NOT NULL),
      CHECK (state <> 'done' OR (national_id IS NOT NULL AND facts IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX national_item_in ON national_item (national_id) WHERE direction = 'in'",
    "CREATE INDEX national_item_due ON national_item (next_at) WHERE state = 'waiting'",
    "CREATE INDEX national_item_agency ON national_item (agency, id)",
    """
    CREATE TABLE national_cursor (
      name text PRIMARY KEY,
      after text NOT NULL,
      moved_at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
