"""Which agency holds which evidence, and the consents to fetch it for one request."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    """
    CREATE TABLE evidence_type (
      code text PRIMARY KEY,
      position integer NOT NULL,
      name_id text NOT NULL,
      name_en text NOT NULL,
      holder text NOT NULL,
      interface text,
      path text,
      key_field text,
      match_field text,
      fields jsonb NOT NULL,
      purpose text,
      provenance_status text NOT NULL,
      provenance_source text NOT NULL,
      CHECK (interface IS NULL OR
        (path IS NOT NULL AND key_field IS NOT NULL AND match_field IS NOT NULL
         AND purpose IS NOT NULL AND fields <> '[]'))
    )
    """,
    """
    CREATE TABLE evidence_consent (
      id uuid PRIMARY KEY,
      request_id uuid NOT NULL REFERENCES service_request,
      service text NOT NULL,
      agency text NOT NULL,
      evidence_type text NOT NULL REFERENCES evidence_type,
      codes jsonb NOT NULL,
      holder text NOT NULL,
      interface text NOT NULL,
      purpose text NOT NULL,
      policy text NOT NULL,
      state text NOT NULL CHECK
        (state IN ('given', 'previewed', 'used', 'declined', 'withdrawn', 'expired')),
      given_by text NOT NULL,
      given_at timestamptz NOT NULL,
      valid_until timestamptz NOT NULL,
      fetches integer NOT NULL DEFAULT 0,
      held_until timestamptz,
      preview jsonb,
      preview_until timestamptz,
      sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      answer_sha256 text CHECK (answer_sha256 ~ '^[0-9a-f]{64}$'),
      message_id uuid,
      fetched_at timestamptz,
      was_used boolean NOT NULL DEFAULT false,
      ended_at timestamptz,
      CHECK (preview IS NULL OR state = 'previewed')
    )
    """,
    """
    CREATE UNIQUE INDEX evidence_consent_open ON evidence_consent (request_id, evidence_type)
    WHERE state IN ('given', 'previewed')
    """,
    "CREATE INDEX evidence_consent_given_by ON evidence_consent (given_by, id)",
    "CREATE INDEX evidence_consent_holder ON evidence_consent (holder, id)",
    "CREATE INDEX evidence_consent_agency ON evidence_consent (agency, id)",
    "CREATE INDEX evidence_consent_ends ON evidence_consent (valid_until) WHERE state IN ('given', 'previewed')",
    "CREATE INDEX evidence_consent_preview_ends ON evidence_consent (preview_until) WHERE preview IS NOT NULL",
    """
    CREATE TABLE evidence_consent_act (
      id uuid PRIMARY KEY,
      consent_id uuid NOT NULL REFERENCES evidence_consent,
      act text NOT NULL,
      state_before text NOT NULL,
      state_after text NOT NULL,
      actor text NOT NULL,
      at timestamptz NOT NULL,
      outcome text,
      message_id uuid
    )
    """,
    "CREATE INDEX evidence_consent_act_consent ON evidence_consent_act (consent_id, id)",
    "CREATE INDEX evidence_consent_act_miss ON evidence_consent_act (actor, at) WHERE outcome = 'no_match'",
    """
    CREATE TRIGGER evidence_consent_act_frozen BEFORE UPDATE OR DELETE ON evidence_consent_act
    FOR EACH ROW EXECUTE FUNCTION keep_act()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
