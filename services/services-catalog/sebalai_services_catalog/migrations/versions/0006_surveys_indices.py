"""Satisfaction surveys without persons; self-assessments of the maturity indices."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    """
    CREATE TABLE survey_invitation (
      request_id uuid PRIMARY KEY REFERENCES service_request,
      code_sha256 text NOT NULL UNIQUE,
      service_id uuid NOT NULL,
      service text NOT NULL,
      agency text NOT NULL,
      invited_at timestamptz NOT NULL,
      answered boolean NOT NULL DEFAULT false
    )
    """,
    # No request, no person, only the day: an answer cannot be traced back to who gave it.
    """
    CREATE TABLE survey_answer (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      service_id uuid NOT NULL,
      service text NOT NULL,
      agency text NOT NULL,
      answered_on date NOT NULL,
      scores jsonb NOT NULL
    )
    """,
    "CREATE INDEX survey_answer_service ON survey_answer (service, answered_on)",
    """
    CREATE TABLE survey_plan (
      id uuid PRIMARY KEY,
      service text NOT NULL,
      agency text NOT NULL,
      element text NOT NULL REFERENCES skm_element,
      plan text NOT NULL,
      due_on date NOT NULL,
      done_on date,
      entered_by text NOT NULL,
      entered_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX survey_plan_service ON survey_plan (service, id)",
    """
    CREATE TABLE index_assessment (
      id uuid PRIMARY KEY,
      scheme text NOT NULL,
      number integer NOT NULL,
      year integer NOT NULL CHECK (year BETWEEN 2018 AND 2100),
      level integer NOT NULL CHECK (level BETWEEN 1 AND 5),
      evidence jsonb NOT NULL,
      note text,
      entered_by text NOT NULL,
      entered_at timestamptz NOT NULL,
      FOREIGN KEY (scheme, number) REFERENCES indicator (scheme, number)
    )
    """,
    "CREATE INDEX index_assessment_latest ON index_assessment (scheme, year, number, id DESC)",
    """
    CREATE TRIGGER index_assessment_frozen BEFORE UPDATE OR DELETE ON index_assessment
    FOR EACH ROW EXECUTE FUNCTION keep_act()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
