"""What an interface takes at once, how long a repetition is known, and the order calls were noted in."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "ALTER TABLE interface ADD COLUMN max_concurrency integer NOT NULL DEFAULT 512 CHECK (max_concurrency >= 1)",
    # A repetition is known as long as the event itself is kept; what came before this is kept longest.
    "ALTER TABLE event_seen ADD COLUMN kept_until timestamptz",
    "UPDATE event_seen SET kept_until = stored_at + interval '3650 days'",
    "ALTER TABLE event_seen ALTER COLUMN kept_until SET NOT NULL",
    "DROP INDEX event_seen_stored_at",
    "CREATE INDEX event_seen_kept_until ON event_seen (kept_until)",
    "ALTER TABLE call ADD COLUMN noted bigint GENERATED ALWAYS AS IDENTITY",
    "CREATE UNIQUE INDEX call_noted ON call (noted)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
