"""Terms that a changed calendar computes anew: of who must answer, pay, appeal; of complaints."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    """
    ALTER TABLE service_request
      ADD COLUMN window_from date,
      ADD COLUMN window_days integer CHECK (window_days BETWEEN 1 AND 1000),
      ADD COLUMN window_revision integer NOT NULL DEFAULT 0,
      ADD CHECK ((window_from IS NULL) = (window_days IS NULL))
    """,
    """
    CREATE INDEX service_request_window ON service_request (window_revision)
    WHERE window_days IS NOT NULL
    """,
    "ALTER TABLE complaint ADD COLUMN calendar_revision integer NOT NULL DEFAULT 0",
    """
    CREATE INDEX complaint_calendar ON complaint (calendar_revision)
    WHERE deadline_at IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
