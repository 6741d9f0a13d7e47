"""Service standards: drafts, review, templates, the register of regulations, maklumat."""

from alembic import op

revision = "0003"
down_revision = "0002"

MARKS = """
  provenance_status text NOT NULL
    CHECK (provenance_status IN ('verified', 'partly', 'unverified', 'inferred', 'synthetic')),
  provenance_source text NOT NULL
"""

SERVICES = (
    "ALTER TABLE service DROP CONSTRAINT service_state_check",
    """
    ALTER TABLE service ADD CONSTRAINT service_state_check
    CHECK (state IN ('draft', 'review', 'published', 'suspended', 'retired'))
    """,
    "ALTER TABLE service ALTER COLUMN version DROP NOT NULL",
    """
    ALTER TABLE service ADD CONSTRAINT service_version_if_published
    CHECK ((version IS NULL) = (state IN ('draft', 'review')))
    """,
    "ALTER TABLE service ADD COLUMN reason text, ADD COLUMN successor text",
    """
    ALTER TABLE service_version
      ALTER COLUMN name_en DROP NOT NULL,
      ALTER COLUMN summary_en DROP NOT NULL,
      ALTER COLUMN life_event DROP NOT NULL,
      ADD COLUMN business_event text,
      ADD COLUMN ral_code text,
      ADD COLUMN template text,
      ADD COLUMN inherited text[] NOT NULL DEFAULT '{}',
      ADD COLUMN standard jsonb NOT NULL DEFAULT '{}',
      ADD COLUMN review_by date,
      ADD COLUMN author text,
      ADD COLUMN published_by text
    """,
    "CREATE INDEX service_version_digest ON service_version (service_id, digest)",
    """
    CREATE TABLE service_draft (
      service_id uuid PRIMARY KEY REFERENCES service,
      state text NOT NULL CHECK (state IN ('draft', 'review')),
      revision integer NOT NULL CHECK (revision > 0),
      standard jsonb NOT NULL,
      template text,
      author text NOT NULL,
      changed_by text NOT NULL,
      changed_at timestamptz NOT NULL,
      note text
    )
    """,
    """
    CREATE TABLE service_act (
      id uuid PRIMARY KEY,
      service_id uuid NOT NULL REFERENCES service,
      act text NOT NULL,
      state_before text NOT NULL,
      state_after text NOT NULL,
      version integer,
      actor text NOT NULL,
      at timestamptz NOT NULL,
      reason text
    )
    """,
    "CREATE INDEX service_act_service ON service_act (service_id, id)",
    f"""
    CREATE TABLE service_template (
      slug text PRIMARY KEY,
      level text NOT NULL CHECK (level IN ('national', 'provincial')),
      title text NOT NULL,
      standard jsonb NOT NULL,
      {MARKS}
    )
    """,
)

REGULATIONS = (
    f"""
    CREATE TABLE regulation (
      id text PRIMARY KEY,
      position integer NOT NULL,
      kind text NOT NULL,
      number text NOT NULL,
      year integer NOT NULL CHECK (year BETWEEN 1900 AND 2100),
      title text NOT NULL,
      status text NOT NULL CHECK (status IN ('berlaku', 'diubah', 'dicabut')),
      changed_by_regulation text,
      edited_by text,
      edited_at timestamptz,
      {MARKS}
    )
    """,
    """
    CREATE TABLE service_basis (
      service_id uuid NOT NULL,
      version integer NOT NULL,
      regulation text NOT NULL REFERENCES regulation,
      PRIMARY KEY (service_id, version, regulation),
      FOREIGN KEY (service_id, version) REFERENCES service_version (service_id, version)
    )
    """,
    "CREATE INDEX service_basis_regulation ON service_basis (regulation)",
)

MAKLUMAT = (
    """
    CREATE TABLE maklumat (
      id uuid PRIMARY KEY,
      agency text NOT NULL,
      text_id text NOT NULL,
      signer text NOT NULL,
      signer_position text NOT NULL,
      signed_on date NOT NULL,
      entered_by text NOT NULL,
      entered_at timestamptz NOT NULL,
      replaced_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX maklumat_current ON maklumat (agency) WHERE replaced_at IS NULL",
)

FROZEN = (
    """
    CREATE FUNCTION keep_act() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'what was done stays as it was recorded'
        USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER service_act_frozen BEFORE UPDATE OR DELETE ON service_act
    FOR EACH ROW EXECUTE FUNCTION keep_act()
    """,
)


def upgrade() -> None:
    for statement in (*SERVICES, *REGULATIONS, *MAKLUMAT, *FROZEN):
        op.execute(statement)
