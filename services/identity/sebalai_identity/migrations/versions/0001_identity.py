"""The common tables; reference lists, applications, signing keys and used assertions."""

from alembic import op
from sebalai_shared import consumer, idempotency, outbox

revision = "0001"
down_revision = None

REFERENCE = (
    """
    CREATE TABLE agency (
      id uuid PRIMARY KEY,
      slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9-]{1,40}$'),
      name text NOT NULL,
      short_name text NOT NULL,
      kind text NOT NULL,
      code text NOT NULL,
      affairs text[] NOT NULL,
      parent_id uuid REFERENCES agency,
      successor_id uuid REFERENCES agency,
      valid_from date,
      valid_to date,
      status text NOT NULL,
      source text NOT NULL,
      code_status text NOT NULL,
      code_source text NOT NULL,
      CHECK (valid_to > valid_from)
    )
    """,
    "CREATE INDEX agency_kind ON agency (kind, slug)",
    """
    CREATE TABLE region (
      kemendagri_code text PRIMARY KEY,
      bps_code text UNIQUE,
      name text NOT NULL,
      kind text NOT NULL,
      capital text,
      parent_code text REFERENCES region,
      status text NOT NULL,
      source text NOT NULL,
      bps_status text,
      bps_source text,
      bps_note text
    )
    """,
    """
    CREATE TABLE affair (
      code text PRIMARY KEY,
      name text NOT NULL,
      affair_group text NOT NULL,
      status text NOT NULL,
      source text NOT NULL
    )
    """,
    """
    CREATE TABLE civil_service_rank (
      grade text PRIMARY KEY,
      name text NOT NULL,
      position smallint NOT NULL UNIQUE,
      status text NOT NULL,
      source text NOT NULL
    )
    """,
)

APPLICATIONS = (
    """
    CREATE TABLE application (
      id uuid PRIMARY KEY,
      client_id uuid NOT NULL UNIQUE,
      agency text NOT NULL REFERENCES agency (slug),
      name text NOT NULL CHECK (name ~ '^[a-z0-9-]{1,40}$'),
      identifier text NOT NULL UNIQUE,
      scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
      state text NOT NULL CHECK (state IN ('active', 'suspended')),
      reason text,
      valid_until timestamptz,
      registered_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL,
      UNIQUE (agency, name)
    )
    """,
    """
    CREATE TABLE application_key (
      id uuid PRIMARY KEY,
      application_id uuid NOT NULL REFERENCES application,
      kid text NOT NULL,
      thumbprint text NOT NULL,
      jwk jsonb NOT NULL CHECK (NOT jwk ? 'd'),
      valid_from timestamptz NOT NULL,
      valid_until timestamptz,
      UNIQUE (application_id, thumbprint)
    )
    """,
)

KEYS = (
    """
    CREATE TABLE signing_key (
      kid text PRIMARY KEY,
      state text NOT NULL CHECK (state IN ('next', 'active', 'retiring', 'retired')),
      jwk jsonb NOT NULL CHECK (NOT jwk ? 'd'),
      sealed bytea NOT NULL,
      created_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL
    )
    """,
    # One key may sign, one may be waiting; whoever would make a second has lost the race.
    "CREATE UNIQUE INDEX signing_key_single ON signing_key (state) WHERE state IN ('next', 'active')",
    "CREATE TABLE key_ring (is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), version bigint NOT NULL)",
    "INSERT INTO key_ring (version) VALUES (0)",
)

# Unlogged: after a crash of PostgreSQL it is empty, and an assertion lives at most 300 s.
ASSERTIONS = (
    """
    CREATE UNLOGGED TABLE used_assertion (
      client_id uuid NOT NULL,
      jti text NOT NULL,
      expires_at timestamptz NOT NULL,
      PRIMARY KEY (client_id, jti)
    )
    """,
    "CREATE INDEX used_assertion_expires_at ON used_assertion (expires_at)",
)


def upgrade() -> None:
    common = (*outbox.DDL_V1, *idempotency.DDL_V1, *consumer.INBOX_DDL_V1)
    for statement in (*common, *REFERENCE, *APPLICATIONS, *KEYS, *ASSERTIONS):
        op.execute(statement)
