"""Complaints, what was done with them, and what LAPOR! knows of them."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """
    CREATE TABLE complaint (
      id uuid PRIMARY KEY,
      ticket text NOT NULL UNIQUE,
      kind text NOT NULL CHECK (kind IN ('pengaduan', 'permintaan_informasi', 'aspirasi')),
      anonymous boolean NOT NULL,
      secret boolean NOT NULL,
      reporter text,
      reporter_name text,
      reply_code_sha256 text NOT NULL,
      title text NOT NULL,
      body text NOT NULL,
      service text,
      service_id uuid,
      request_id uuid REFERENCES service_request,
      agency text,
      category text NOT NULL,
      state text NOT NULL CHECK (state IN ('received', 'verifying', 'forwarded', 'in_follow_up',
        'answered', 'closed', 'archived')),
      revision integer NOT NULL,
      received_at timestamptz NOT NULL,
      forwarded_at timestamptz,
      answered_at timestamptz,
      closed_at timestamptz,
      deadline_at timestamptz,
      breached_stage text,
      answer text,
      reason text,
      last_actor text,
      last_at timestamptz NOT NULL,
      lapor_id text,
      lapor_revision integer NOT NULL DEFAULT 0,
      CHECK (NOT anonymous OR (reporter IS NULL AND reporter_name IS NULL))
    )
    """,
    "CREATE INDEX complaint_agency ON complaint (agency, id)",
    "CREATE INDEX complaint_service ON complaint (service_id, received_at)",
    "CREATE INDEX complaint_deadline_at ON complaint (deadline_at) WHERE deadline_at IS NOT NULL",
    "CREATE INDEX complaint_lapor ON complaint (id) WHERE lapor_revision < revision",
    """
    CREATE TABLE complaint_act (
      id uuid PRIMARY KEY,
      complaint_id uuid NOT NULL REFERENCES complaint,
      act text NOT NULL,
      role text NOT NULL,
      state_before text NOT NULL,
      state_after text NOT NULL,
      agency text,
      actor text NOT NULL,
      at timestamptz NOT NULL,
      text text
    )
    """,
    "CREATE INDEX complaint_act_complaint ON complaint_act (complaint_id, id)",
    """
    CREATE TRIGGER complaint_act_frozen BEFORE UPDATE OR DELETE ON complaint_act
    FOR EACH ROW EXECUTE FUNCTION keep_act()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
