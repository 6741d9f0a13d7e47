"""The common tables; reference lists, services with their versions, published interfaces."""

from alembic import op
from sebalai_shared import consumer, idempotency, outbox

revision = "0001"
down_revision = None

MARKS = """
  provenance_status text NOT NULL
    CHECK (provenance_status IN ('verified', 'partly', 'unverified', 'inferred', 'synthetic')),
  provenance_source text NOT NULL
"""

REFERENCE = (
    f"""
    CREATE TABLE audience (
      code text PRIMARY KEY,
      position integer NOT NULL,
      name_id text NOT NULL,
      name_en text NOT NULL,
      channel text NOT NULL,
      description text NOT NULL,
      identifier text NOT NULL,
      identity_source text NOT NULL,
      {MARKS}
    )
    """,
    f"""
    CREATE TABLE rab_sector (
      code text PRIMARY KEY,
      position integer NOT NULL,
      name text NOT NULL,
      {MARKS}
    )
    """,
    f"""
    CREATE TABLE indicator (
      scheme text NOT NULL CHECK (scheme IN ('spbe', 'pemdi')),
      number integer NOT NULL CHECK (number > 0),
      position integer NOT NULL,
      domain text,
      domain_weight numeric,
      aspect text NOT NULL,
      aspect_weight numeric NOT NULL,
      name text NOT NULL,
      weight numeric NOT NULL CHECK (weight > 0),
      kind text,
      external_score_source text,
      {MARKS},
      PRIMARY KEY (scheme, number)
    )
    """,
    f"""
    CREATE TABLE grade_band (
      scale text NOT NULL,
      lower numeric NOT NULL,
      upper numeric NOT NULL,
      position integer NOT NULL,
      grade text NOT NULL,
      note text NOT NULL,
      {MARKS},
      PRIMARY KEY (scale, lower),
      CHECK (lower < upper)
    )
    """,
    f"""
    CREATE TABLE skm_element (
      identifier text PRIMARY KEY,
      code text NOT NULL UNIQUE,
      position integer NOT NULL,
      name text NOT NULL,
      weight_numerator integer NOT NULL CHECK (weight_numerator > 0),
      weight_denominator integer NOT NULL CHECK (weight_denominator > 0),
      weight_rounded numeric NOT NULL,
      scale_min integer NOT NULL,
      scale_max integer NOT NULL,
      {MARKS},
      CHECK (scale_min < scale_max)
    )
    """,
    f"""
    CREATE TABLE complaint_deadline (
      stage text NOT NULL,
      category text NOT NULL,
      position integer NOT NULL,
      "limit" integer NOT NULL CHECK ("limit" > 0),
      unit text NOT NULL CHECK (unit IN ('days', 'working_days')),
      note text NOT NULL,
      {MARKS},
      PRIMARY KEY (stage, category)
    )
    """,
)

SERVICES = (
    """
    CREATE TABLE service (
      id uuid PRIMARY KEY,
      slug text NOT NULL UNIQUE,
      agency text NOT NULL,
      state text NOT NULL CHECK (state IN ('published')),
      version integer NOT NULL CHECK (version > 0)
    )
    """,
    "CREATE INDEX service_agency ON service (agency)",
    f"""
    CREATE TABLE service_version (
      service_id uuid NOT NULL REFERENCES service,
      version integer NOT NULL CHECK (version > 0),
      agency text NOT NULL,
      name_id text NOT NULL CHECK (length(name_id) <= 100),
      name_en text NOT NULL CHECK (length(name_en) <= 100),
      summary_id text NOT NULL CHECK (length(summary_id) <= 150),
      summary_en text NOT NULL CHECK (length(summary_en) <= 150),
      audiences text[] NOT NULL CHECK (cardinality(audiences) > 0),
      life_event text NOT NULL,
      channels text[] NOT NULL CHECK (cardinality(channels) > 0),
      published_at timestamptz NOT NULL,
      digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{{64}}$'),
      {MARKS},
      PRIMARY KEY (service_id, version)
    )
    """,
    """
    ALTER TABLE service ADD CONSTRAINT service_current FOREIGN KEY (id, version)
    REFERENCES service_version (service_id, version) DEFERRABLE INITIALLY DEFERRED
    """,
    """
    CREATE FUNCTION keep_published_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'a published version of a service does not change'
        USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER service_version_frozen BEFORE UPDATE OR DELETE ON service_version
    FOR EACH ROW EXECUTE FUNCTION keep_published_version()
    """,
)

APIS = (
    """
    CREATE TABLE known_interface (
      id uuid PRIMARY KEY,
      name text NOT NULL UNIQUE,
      agency text NOT NULL,
      contract_sha256 text NOT NULL,
      state text NOT NULL CHECK (state IN ('published', 'retired')),
      seen_at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    common = (*outbox.DDL_V1, *consumer.INBOX_DDL_V1, *idempotency.DDL_V1)
    for statement in (*common, *REFERENCE, *SERVICES, *APIS):
        op.execute(statement)
