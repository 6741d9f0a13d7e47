"""Datasets of Satu Data: what is written, what is shown, and who moved it."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    # `terms` is what a search looks in: names and words of what is shown.
    """
    CREATE TABLE dataset (
      id uuid PRIMARY KEY,
      slug text NOT NULL UNIQUE,
      agency text NOT NULL,
      state text NOT NULL CHECK (state IN ('draft', 'review', 'published', 'withdrawn')),
      revision integer NOT NULL,
      draft jsonb NOT NULL,
      shown jsonb,
      author text NOT NULL,
      submitted_by text,
      published_by text,
      note text,
      created_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL,
      published_at timestamptz,
      modified_at timestamptz,
      terms text GENERATED ALWAYS AS (lower(
        slug || ' ' || coalesce(shown->>'title', '') || ' '
        || coalesce(shown->>'description', '') || ' ' || coalesce(shown->>'keywords', ''))) STORED,
      CHECK (state <> 'published' OR shown IS NOT NULL),
      CHECK (state <> 'withdrawn' OR shown IS NULL),
      CHECK ((shown IS NULL) = (modified_at IS NULL))
    )
    """,
    "CREATE INDEX dataset_in_review ON dataset (changed_at) WHERE state = 'review'",
    "CREATE INDEX dataset_by_agency ON dataset (agency)",
    """
    CREATE TABLE dataset_act (
      id uuid PRIMARY KEY,
      dataset_id uuid NOT NULL REFERENCES dataset (id),
      act text NOT NULL,
      state_before text NOT NULL,
      state_after text NOT NULL,
      actor text NOT NULL,
      at timestamptz NOT NULL,
      reason text
    )
    """,
    "CREATE INDEX dataset_act_of ON dataset_act (dataset_id, id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
