"""The common tables; classification, retention schedule, letter types and records."""

from alembic import op
from sebalai_shared import consumer, idempotency, outbox

revision = "0001"
down_revision = None

STATUS = "text NOT NULL CHECK (provenance_status IN ('verified', 'partly', 'unverified', 'inferred', 'synthetic'))"
FATE = "text NOT NULL CHECK (final_disposition IN ('musnah', 'permanen', 'dinilai_kembali'))"

REFERENCE = (
    f"""
    CREATE TABLE classification (
      code text PRIMARY KEY,
      name text NOT NULL,
      parent text REFERENCES classification DEFERRABLE INITIALLY DEFERRED,
      path integer[] NOT NULL UNIQUE,
      provenance_status {STATUS},
      provenance_source text NOT NULL,
      CHECK ((parent IS NULL) = (cardinality(path) = 1))
    )
    """,
    f"""
    CREATE TABLE retention_rule (
      classification_code text PRIMARY KEY,
      path integer[] NOT NULL UNIQUE,
      series text NOT NULL,
      active_years integer NOT NULL CHECK (active_years >= 0),
      inactive_years integer NOT NULL CHECK (inactive_years >= 0),
      final_disposition {FATE},
      security_class text NOT NULL,
      exception text,
      provenance_status {STATUS},
      provenance_source text NOT NULL
    )
    """,
    f"""
    CREATE TABLE letter_type (
      code text PRIMARY KEY,
      name text NOT NULL,
      "group" text NOT NULL,
      subgroup text,
      position integer NOT NULL,
      provenance_status {STATUS},
      provenance_source text NOT NULL
    )
    """,
)

RECORDS = (
    """
    CREATE TABLE record (
      id uuid PRIMARY KEY,
      agency text NOT NULL,
      application text NOT NULL,
      title text NOT NULL,
      description text,
      classification_code text NOT NULL REFERENCES classification,
      state text NOT NULL CHECK (state IN ('draft', 'declared')),
      created_at timestamptz NOT NULL,
      content_sha256 text CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
      content_bytes bigint CHECK (content_bytes >= 0),
      content_type text,
      content_at timestamptz,
      declared_at timestamptz,
      event_id uuid UNIQUE,
      statement text,
      salt bytea CHECK (length(salt) = 32),
      commitment text CHECK (commitment ~ '^[0-9a-f]{64}$'),
      CHECK (num_nulls(content_sha256, content_bytes, content_type, content_at) IN (0, 4)),
      CHECK (state = 'draft' OR num_nulls(content_sha256, declared_at, event_id, statement, salt, commitment) = 0)
    )
    """,
    "CREATE INDEX record_agency ON record (agency, id)",
    "CREATE INDEX record_content ON record (content_sha256)",
    f"""
    CREATE TABLE record_retention (
      record_id uuid PRIMARY KEY REFERENCES record,
      rule_code text,
      active_years integer,
      inactive_years integer,
      final_disposition {FATE.replace(" NOT NULL", "")},
      trigger_kind text NOT NULL,
      trigger_date date,
      active_until date,
      inactive_until date,
      computed_at timestamptz NOT NULL,
      CHECK (num_nulls(active_until, inactive_until) IN (0, 2)),
      CHECK (active_until IS NULL OR (trigger_date IS NOT NULL AND rule_code IS NOT NULL))
    )
    """,
    """
    CREATE FUNCTION keep_declared_record() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'records are not truncated' USING ERRCODE = 'restrict_violation';
      END IF;
      IF OLD.state = 'declared' THEN
        RAISE EXCEPTION 'record % is declared: it does not change', OLD.id
          USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END $$
    """,
    """
    CREATE TRIGGER record_frozen BEFORE UPDATE OR DELETE ON record
    FOR EACH ROW EXECUTE FUNCTION keep_declared_record()
    """,
    """
    CREATE TRIGGER record_not_truncated BEFORE TRUNCATE ON record
    FOR EACH STATEMENT EXECUTE FUNCTION keep_declared_record()
    """,
)


def upgrade() -> None:
    common = (*outbox.DDL_V1, *consumer.INBOX_DDL_V1, *idempotency.DDL_V1)
    for statement in (*common, *REFERENCE, *RECORDS):
        op.execute(statement)
