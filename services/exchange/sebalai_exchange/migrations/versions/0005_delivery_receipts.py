"""Deliveries that wait for their leaf in the ledger."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """
    CREATE TABLE receipt_due (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      subscription uuid NOT NULL,
      event_id uuid NOT NULL,
      attempts integer NOT NULL,
      status integer,
      at timestamptz NOT NULL
    )
    """,
    """
    CREATE FUNCTION owe_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO receipt_due (subscription, event_id, attempts, status, at)
      VALUES (NEW.subscription, NEW.event_id, NEW.number, NEW.status, NEW.at);
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER attempt_receipt AFTER INSERT ON attempt
    FOR EACH ROW WHEN (NEW.outcome = 'delivered') EXECUTE FUNCTION owe_receipt()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
