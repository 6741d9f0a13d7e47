"""Drafts may be given up; of what was never filed nothing stays."""

from alembic import op

revision = "0023"
down_revision = "0022"

STATES = (
    "'draft', 'submitted', 'verifying', 'returned', 'awaiting_payment', 'awaiting_evidence', "
    "'processing', 'issued', 'refused', 'appeal', 'withdrawn', 'lapsed', 'handed_over', 'discarded'"
)
NEVER_FILED = "state = 'lapsed' AND submitted_at IS NULL"

STATEMENTS = (
    "ALTER TABLE service_request DROP CONSTRAINT service_request_state_check",
    f"""
    ALTER TABLE service_request
      ADD CONSTRAINT service_request_state_check CHECK (state IN ({STATES})) NOT VALID
    """,
    "ALTER TABLE service_request VALIDATE CONSTRAINT service_request_state_check",
    f"""
    DELETE FROM request_document WHERE request_id IN (
      SELECT id FROM service_request WHERE {NEVER_FILED})
    """,  # noqa: S608
    f"UPDATE service_request SET answers = '{{}}', assisted_name = NULL WHERE {NEVER_FILED}",  # noqa: S608
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
