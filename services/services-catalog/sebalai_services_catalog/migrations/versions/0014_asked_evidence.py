"""Files that wait for evidence an officer asked for: from whom, for what, until when."""

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    """
    ALTER TABLE service_request
      ADD COLUMN asked jsonb,
      ADD COLUMN evidence_by timestamptz,
      ADD CHECK ((asked IS NULL) = (evidence_by IS NULL)),
      ADD CHECK (asked IS NULL OR state = 'awaiting_evidence')
    """,
    """
    CREATE INDEX service_request_awaits ON service_request (evidence_by)
    WHERE state = 'awaiting_evidence'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
