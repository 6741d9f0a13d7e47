"""The common tables; interfaces, agreements, routing versions, ledger and usage."""

from alembic import op
from sebalai_shared import consumer, idempotency, outbox

revision = "0001"
down_revision = None

INTERFACES = (
    """
    CREATE TABLE contract (
      sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      document text NOT NULL,
      stored_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE interface (
      id uuid PRIMARY KEY,
      name text NOT NULL UNIQUE,
      title text NOT NULL,
      provider text NOT NULL,
      agency text NOT NULL,
      addresses text[] NOT NULL CHECK (cardinality(addresses) BETWEEN 1 AND 8),
      member text,
      contract_sha256 text NOT NULL REFERENCES contract,
      state text NOT NULL CHECK (state IN ('active', 'retired')),
      reason text,
      connect_timeout_ms integer NOT NULL,
      read_timeout_ms integer NOT NULL,
      total_timeout_ms integer NOT NULL,
      max_request_bytes bigint NOT NULL,
      published_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL,
      CHECK (name LIKE provider || '/%')
    )
    """,
    "CREATE INDEX interface_agency ON interface (agency, name)",
)

AGREEMENTS = (
    """
    CREATE TABLE agreement (
      id uuid PRIMARY KEY,
      consumer text NOT NULL,
      interface_id uuid NOT NULL REFERENCES interface,
      interface text NOT NULL,
      provider text NOT NULL,
      rules jsonb NOT NULL,
      purposes jsonb NOT NULL,
      data_categories text[] NOT NULL,
      valid_from timestamptz NOT NULL,
      valid_until timestamptz NOT NULL,
      quota_per_day integer NOT NULL,
      rate_per_second integer NOT NULL,
      burst integer NOT NULL,
      state text NOT NULL CHECK (state IN ('requested', 'granted', 'suspended', 'revoked')),
      reason text,
      requested_by text NOT NULL,
      requested_at timestamptz NOT NULL,
      granted_by text,
      granted_at timestamptz,
      changed_by text NOT NULL,
      changed_at timestamptz NOT NULL,
      CHECK (valid_until > valid_from),
      CHECK (granted_by IS NULL OR granted_by <> requested_by)
    )
    """,
    "CREATE INDEX agreement_consumer ON agreement (consumer, id)",
    "CREATE INDEX agreement_provider ON agreement (provider, id)",
    "CREATE INDEX agreement_interface ON agreement (interface, id)",
    "CREATE INDEX agreement_granted ON agreement (id) WHERE state = 'granted'",
)

# The version is raised by the table's own change, in its transaction: no way past it, and the row
# lock makes the order of versions the order of commits.
ROUTES = (
    "CREATE TABLE routes_version (is_sole boolean PRIMARY KEY DEFAULT true CHECK (is_sole), version bigint NOT NULL)",
    "INSERT INTO routes_version (version) VALUES (1)",
    """
    CREATE TABLE routes_snapshot (
      version bigint PRIMARY KEY,
      jws text NOT NULL,
      compiled_at timestamptz NOT NULL
    )
    """,
    """
    CREATE FUNCTION raise_routes_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE routes_version SET version = version + 1;
      PERFORM pg_notify('routes', '');
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER interface_routes AFTER INSERT OR UPDATE OR DELETE ON interface
    FOR EACH STATEMENT EXECUTE FUNCTION raise_routes_version()
    """,
    """
    CREATE TRIGGER agreement_routes AFTER UPDATE OR DELETE ON agreement
    FOR EACH STATEMENT EXECUTE FUNCTION raise_routes_version()
    """,
)

LEDGER = (
    """
    CREATE TABLE ledger_log (
      name text PRIMARY KEY CHECK (name ~ '^(records|exchanges/[0-9]{4})$'),
      size bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
      verifier_key text,
      checkpoint text
    )
    """,
    """
    CREATE TABLE ledger_entry (
      id uuid PRIMARY KEY,
      log text NOT NULL REFERENCES ledger_log,
      kind text NOT NULL CHECK (kind IN ('call', 'event')),
      payload text NOT NULL,
      salt bytea NOT NULL CHECK (length(salt) = 32),
      leaf text NOT NULL,
      consumer text,
      provider text,
      agency text,
      received_at timestamptz NOT NULL DEFAULT now(),
      idx bigint CHECK (idx >= 0)
    )
    """,
    "CREATE UNIQUE INDEX ledger_entry_idx ON ledger_entry (log, idx) WHERE idx IS NOT NULL",
    "CREATE INDEX ledger_entry_waiting ON ledger_entry (log, id) WHERE idx IS NULL",
    """
    CREATE TABLE ledger_tile (
      log text NOT NULL REFERENCES ledger_log,
      level smallint NOT NULL,
      number bigint NOT NULL,
      hashes bytea NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
      PRIMARY KEY (log, level, number)
    )
    """,
    # One root for one size, for good: the key refuses a second.
    """
    CREATE TABLE ledger_checkpoint (
      log text NOT NULL REFERENCES ledger_log,
      size bigint NOT NULL,
      note text NOT NULL,
      signed_at timestamptz NOT NULL,
      PRIMARY KEY (log, size)
    )
    """,
    "INSERT INTO ledger_log (name) VALUES ('records')",
)

USAGE = (
    """
    CREATE TABLE call (
      message_id uuid PRIMARY KEY,
      at timestamptz NOT NULL,
      requested_at timestamptz NOT NULL,
      forwarded_at timestamptz,
      responded_at timestamptz,
      consumer text,
      provider text,
      interface text,
      method text,
      outcome text NOT NULL,
      status integer,
      problem text,
      purpose text,
      legal_basis text,
      agreement text,
      rule text,
      trace_id text,
      correlation_id text
    )
    """,
    "CREATE INDEX call_at ON call (at DESC, message_id DESC)",
    "CREATE INDEX call_consumer ON call (consumer, at DESC, message_id DESC)",
    "CREATE INDEX call_provider ON call (provider, at DESC, message_id DESC)",
)


def upgrade() -> None:
    common = (*outbox.DDL_V1, *consumer.INBOX_DDL_V1, *idempotency.DDL_V1)
    for statement in (*common, *INTERFACES, *AGREEMENTS, *ROUTES, *LEDGER, *USAGE):
        op.execute(statement)
