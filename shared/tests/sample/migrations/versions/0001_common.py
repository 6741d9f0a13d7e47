"""The common tables, and one of a member's own."""

from alembic import op
from sebalai_shared import consumer, idempotency, outbox

revision = "0001"
down_revision = None


def upgrade() -> None:
    for statement in (*outbox.DDL_V1, *consumer.INBOX_DDL_V1, *idempotency.DDL_V1):
        op.execute(statement)
    op.execute("CREATE TABLE thing (id uuid PRIMARY KEY, name text NOT NULL UNIQUE)")
