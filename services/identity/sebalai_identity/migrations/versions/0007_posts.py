"""Civil servants, positions, postings and delegations, each with a half-open period."""

from alembic import op

revision = "0007"
down_revision = "0006"

PERIOD = "tstzrange(valid_from, valid_until)"

CIVIL_SERVANTS = (
    """
    CREATE TABLE civil_servant (
      person_id uuid PRIMARY KEY REFERENCES person,
      nip_sealed bytea NOT NULL,
      nip_index bytea NOT NULL UNIQUE CHECK (octet_length(nip_index) = 32),
      nip_key text NOT NULL,
      employment text NOT NULL CHECK (employment IN ('PNS', 'PPPK')),
      grade text,
      agency text NOT NULL REFERENCES agency (slug),
      valid_from timestamptz NOT NULL,
      valid_until timestamptz CHECK (valid_until >= valid_from),
      changed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX civil_servant_agency ON civil_servant (agency, person_id)",
)

POSITIONS = (
    """
    CREATE TABLE position (
      id uuid PRIMARY KEY,
      agency text NOT NULL REFERENCES agency (slug),
      code text NOT NULL CHECK (code ~ '^[a-z0-9-]{1,40}$'),
      title text NOT NULL CHECK (title <> ''),
      kind text NOT NULL,
      eselon text,
      supervisor_id uuid REFERENCES position CHECK (supervisor_id <> id),
      decree text NOT NULL,
      source text NOT NULL,
      valid_from timestamptz NOT NULL,
      valid_until timestamptz CHECK (valid_until >= valid_from),
      changed_at timestamptz NOT NULL,
      UNIQUE (agency, code)
    )
    """,
)

# A Plt. stands in for nobody: where there is a holder, only a Plh. may (SE BKN 1/SE/I/2021).
POSTINGS = (
    f"""
    CREATE TABLE posting (
      id uuid PRIMARY KEY,
      person_id uuid NOT NULL REFERENCES person,
      position_id uuid NOT NULL REFERENCES position,
      kind text NOT NULL CHECK (kind IN ('definitive', 'plt', 'plh')),
      decree text NOT NULL,
      source text NOT NULL,
      valid_from timestamptz NOT NULL,
      valid_until timestamptz CHECK (valid_until > valid_from),
      ended_by text,
      is_cancelled boolean NOT NULL,
      is_end_told boolean NOT NULL,
      recorded_at timestamptz NOT NULL,
      CHECK (kind = 'definitive' OR valid_until IS NOT NULL),
      CONSTRAINT posting_one_holder EXCLUDE USING gist (position_id WITH =, {PERIOD} WITH &&)
        WHERE (kind IN ('definitive', 'plt') AND NOT is_cancelled),
      CONSTRAINT posting_one_plh EXCLUDE USING gist (position_id WITH =, {PERIOD} WITH &&)
        WHERE (kind = 'plh' AND NOT is_cancelled),
      CONSTRAINT posting_one_post EXCLUDE USING gist (person_id WITH =, {PERIOD} WITH &&)
        WHERE (kind = 'definitive' AND NOT is_cancelled)
    )
    """,
    "CREATE INDEX posting_person ON posting (person_id, valid_from)",
    "CREATE INDEX posting_position ON posting (position_id, valid_from)",
    "CREATE INDEX posting_untold ON posting (valid_until) WHERE NOT is_end_told",
    """
    CREATE TABLE delegation (
      id uuid PRIMARY KEY,
      from_posting_id uuid NOT NULL REFERENCES posting,
      to_posting_id uuid NOT NULL REFERENCES posting CHECK (to_posting_id <> from_posting_id),
      kind text NOT NULL CHECK (kind IN ('an', 'ub')),
      parent_id uuid REFERENCES delegation,
      matters text[] NOT NULL CHECK (cardinality(matters) > 0),
      decree text NOT NULL,
      valid_from timestamptz NOT NULL,
      valid_until timestamptz NOT NULL CHECK (valid_until > valid_from),
      ended_by text,
      is_cancelled boolean NOT NULL,
      is_end_told boolean NOT NULL,
      recorded_at timestamptz NOT NULL,
      CHECK ((kind = 'ub') = (parent_id IS NOT NULL))
    )
    """,
    "CREATE INDEX delegation_to ON delegation (to_posting_id, valid_from)",
    "CREATE INDEX delegation_from ON delegation (from_posting_id, valid_from)",
    "CREATE INDEX delegation_untold ON delegation (valid_until) WHERE NOT is_end_told",
)


def upgrade() -> None:
    # Trusted since PostgreSQL 13: who may create in the database may have it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    for statement in (*CIVIL_SERVANTS, *POSITIONS, *POSTINGS):
        op.execute(statement)
