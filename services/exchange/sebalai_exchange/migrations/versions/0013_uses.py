"""How often each agreement was used on each day, counted as calls are noted."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    CREATE TABLE use_day (
      interface text NOT NULL,
      consumer text NOT NULL,
      agreement text NOT NULL,
      day date NOT NULL,
      calls bigint NOT NULL CHECK (calls > 0),
      PRIMARY KEY (interface, consumer, agreement, day)
    )
    """,
    "CREATE INDEX use_day_agreement ON use_day (agreement, day)",
    """
    INSERT INTO use_day (interface, consumer, agreement, day, calls)
    SELECT interface, consumer, agreement, (at AT TIME ZONE 'UTC')::date, count(*) FROM call
    WHERE outcome = 'answered' AND interface IS NOT NULL AND consumer IS NOT NULL
      AND agreement IS NOT NULL
    GROUP BY 1, 2, 3, 4
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
