"""An event's source and id repeat an earlier one of the same publisher alone.

Whoever may publish anything could otherwise take the ids that another will give.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

STEPS = (
    "ALTER TABLE event_seen ADD COLUMN publisher text",
    """
    UPDATE event_seen SET publisher = kept.publisher
    FROM (SELECT event_id, publisher FROM event
      UNION ALL SELECT event_id, publisher FROM event_new) AS kept
    WHERE kept.event_id = event_seen.event_id
    """,
    "UPDATE event_seen SET publisher = '' WHERE publisher IS NULL",
    "ALTER TABLE event_seen ALTER COLUMN publisher SET NOT NULL",
    "ALTER TABLE event_seen DROP CONSTRAINT event_seen_pkey",
    "ALTER TABLE event_seen ADD PRIMARY KEY (publisher, source, id)",
)


def upgrade() -> None:
    for step in STEPS:
        op.execute(step)
