"""Requests: the file, what was done with it, the tasks in it, its documents."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATES = (
    "'draft', 'submitted', 'verifying', 'returned', 'awaiting_payment', 'awaiting_evidence', "
    "'processing', 'issued', 'refused', 'appeal', 'withdrawn', 'lapsed', 'handed_over'"
)

STATEMENTS = (
    f"""
    CREATE TABLE service_request (
      id uuid PRIMARY KEY,
      ticket text NOT NULL UNIQUE,
      service_id uuid NOT NULL,
      service_version integer NOT NULL,
      service text NOT NULL,
      agency text NOT NULL,
      applicant text NOT NULL,
      assisted boolean NOT NULL,
      assisted_name text,
      channel text NOT NULL,
      state text NOT NULL CHECK (state IN ({STATES})),
      revision integer NOT NULL CHECK (revision > 0),
      acts integer NOT NULL DEFAULT 0,
      starts text NOT NULL CHECK (starts IN ('submitted', 'verified')),
      term_value integer NOT NULL CHECK (term_value > 0),
      term_unit text NOT NULL CHECK (term_unit IN ('minutes', 'hours', 'days', 'working_days')),
      clock_mode text NOT NULL CHECK (clock_mode IN ('off', 'running', 'paused', 'stopped')),
      running_since timestamptz,
      ran jsonb NOT NULL DEFAULT '[]',
      back_to text,
      verified boolean NOT NULL DEFAULT false,
      appealed boolean NOT NULL DEFAULT false,
      due_at timestamptz,
      calendar_revision integer NOT NULL,
      on_breach text NOT NULL CHECK (on_breach IN ('escalate', 'deemed_granted')),
      breached_at timestamptz,
      answers jsonb NOT NULL DEFAULT '{{}}',
      marks jsonb NOT NULL DEFAULT '[]',
      reply_by timestamptz,
      reminders integer NOT NULL DEFAULT 0,
      reason text,
      legal_basis text,
      handed_to text,
      appeal_until timestamptz,
      appeal_due_at timestamptz,
      refused_by text,
      product jsonb,
      created_at timestamptz NOT NULL,
      submitted_at timestamptz,
      closed_at timestamptz,
      last_act text,
      last_actor text,
      last_at timestamptz,
      FOREIGN KEY (service_id, service_version) REFERENCES service_version (service_id, version),
      CHECK ((running_since IS NOT NULL) = (clock_mode = 'running'))
    )
    """,
    "CREATE INDEX service_request_applicant ON service_request (applicant, id)",
    "CREATE INDEX service_request_agency ON service_request (agency, state, id)",
    """
    CREATE INDEX service_request_due ON service_request (due_at)
    WHERE breached_at IS NULL AND clock_mode = 'running'
    """,
    """
    CREATE INDEX service_request_recompute ON service_request (calendar_revision)
    WHERE clock_mode IN ('running', 'paused')
    """,
    "CREATE INDEX service_request_reply ON service_request (reply_by) WHERE reply_by IS NOT NULL",
    "CREATE INDEX service_request_service ON service_request (service_id, submitted_at)",
    """
    CREATE TABLE request_act (
      id uuid PRIMARY KEY,
      request_id uuid NOT NULL REFERENCES service_request,
      number integer NOT NULL,
      act text NOT NULL,
      role text NOT NULL,
      state_before text NOT NULL,
      state_after text NOT NULL,
      actor text NOT NULL,
      actor_agency text,
      at timestamptz NOT NULL,
      reason text,
      detail jsonb NOT NULL DEFAULT '{}',
      UNIQUE (request_id, number)
    )
    """,
    """
    CREATE TRIGGER request_act_frozen BEFORE UPDATE OR DELETE ON request_act
    FOR EACH ROW EXECUTE FUNCTION keep_act()
    """,
    """
    CREATE TABLE request_due_change (
      request_id uuid NOT NULL REFERENCES service_request,
      calendar_revision integer NOT NULL,
      due_before timestamptz,
      due_after timestamptz,
      at timestamptz NOT NULL,
      PRIMARY KEY (request_id, calendar_revision)
    )
    """,
    """
    CREATE TABLE request_task (
      id uuid PRIMARY KEY,
      request_id uuid NOT NULL REFERENCES service_request,
      position integer NOT NULL,
      role text NOT NULL CHECK (role IN ('front_office', 'officer', 'signer', 'superior')),
      agency text NOT NULL,
      what text NOT NULL,
      state text NOT NULL CHECK (state IN ('waiting', 'open', 'claimed', 'done', 'cancelled')),
      claimed_by text,
      claimed_at timestamptz,
      done_by text,
      done_at timestamptz,
      CHECK ((state = 'claimed') <= (claimed_by IS NOT NULL))
    )
    """,
    "CREATE INDEX request_task_request ON request_task (request_id, position)",
    """
    CREATE INDEX request_task_queue ON request_task (agency, id)
    WHERE state IN ('open', 'claimed')
    """,
    """
    CREATE TABLE request_document (
      request_id uuid NOT NULL REFERENCES service_request,
      code text NOT NULL,
      sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      name text NOT NULL,
      media_type text NOT NULL,
      size integer NOT NULL CHECK (size > 0),
      content bytea NOT NULL,
      uploaded_by text NOT NULL,
      uploaded_at timestamptz NOT NULL,
      PRIMARY KEY (request_id, code, sha256)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
