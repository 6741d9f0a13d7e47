"""Who is handed an initial token approves nothing that registers by it; a registration access token
is good until its successor has arrived; sessions are found by the provider they came by.
"""

from alembic import op

revision = "0019"
down_revision = "0018"

STATEMENTS = (
    "ALTER TABLE initial_token ADD COLUMN handed_to text",
    "ALTER TABLE client_request ADD COLUMN handed_to text",
    "ALTER TABLE client_registration ADD COLUMN previous_digest bytea",
    "CREATE INDEX session_methods ON session USING gin (methods) WHERE ended_at IS NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
