"""Search in Indonesian: stems and trigrams of each version, synonyms, searches that found nothing."""

from alembic import op

revision = "0007"
down_revision = "0006"

TERMS = "name_id || ' ' || coalesce(standard->>'keywords', '') || ' ' || summary_id"

STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"""
    ALTER TABLE service_version
      ADD COLUMN stems tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('indonesian', name_id), 'A')
        || setweight(to_tsvector('indonesian', coalesce(standard->>'keywords', '')), 'A')
        || setweight(to_tsvector('indonesian', summary_id), 'C')
      ) STORED,
      ADD COLUMN heads text GENERATED ALWAYS AS (
        lower(name_id || ' ' || coalesce(standard->>'keywords', ''))) STORED,
      ADD COLUMN terms text GENERATED ALWAYS AS (lower({TERMS})) STORED
    """,
    "CREATE INDEX service_version_stems ON service_version USING gin (stems)",
    """
    CREATE TABLE search_synonym (
      word text PRIMARY KEY CHECK (word ~ '^[a-z0-9]+$'),
      means text[] NOT NULL,
      edited_by text,
      edited_at timestamptz
    )
    """,
    # What people looked for in vain, in their words without long numbers: the officers' list.
    """
    CREATE TABLE search_miss (
      words text PRIMARY KEY,
      times integer NOT NULL,
      last_on date NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
