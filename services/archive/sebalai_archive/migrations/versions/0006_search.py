"""What examinations found in contents; the search index of records; places of copies."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """
    CREATE TABLE examination (
      sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      state text NOT NULL CHECK (state IN ('text', 'no_text', 'broken', 'over_limit', 'infected')),
      puid text,
      pages integer,
      note text,
      scan text NOT NULL CHECK (scan IN ('clean', 'infected', 'not_scanned')),
      body text,
      at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE record_text (
      record_id uuid PRIMARY KEY REFERENCES record,
      label text NOT NULL,
      meta tsvector NOT NULL,
      meta_plain tsvector NOT NULL,
      body tsvector NOT NULL,
      body_plain tsvector NOT NULL,
      excerpt text NOT NULL,
      at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX record_text_meta ON record_text USING gin (meta)",
    "CREATE INDEX record_text_meta_plain ON record_text USING gin (meta_plain)",
    "CREATE INDEX record_text_body ON record_text USING gin (body)",
    "CREATE INDEX record_text_body_plain ON record_text USING gin (body_plain)",
    "CREATE INDEX record_text_label ON record_text USING gin (label gin_trgm_ops)",
    "ALTER TABLE record_text ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE record_text FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY text_seen ON record_text
    USING (EXISTS (SELECT 1 FROM record r WHERE r.id = record_id))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
