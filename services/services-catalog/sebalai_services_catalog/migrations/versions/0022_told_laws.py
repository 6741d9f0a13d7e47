"""A regulation that changes is a change of every service whose current version rests on it."""

from alembic import op

revision = "0022"
down_revision = "0021"

STATEMENTS = (
    # Held in one order, so that two changes at once wait for each other and do not lock for ever.
    """
    CREATE FUNCTION touch_services() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      WITH resting AS (
        SELECT s.id FROM service s JOIN service_basis b
          ON b.service_id = s.id AND b.version = s.version AND b.regulation = NEW.id
        ORDER BY s.id FOR UPDATE OF s
      )
      UPDATE service SET state = state FROM resting WHERE service.id = resting.id;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER regulation_touches AFTER UPDATE ON regulation
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_services()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
