"""In which transaction a service or a request last changed: what delta reads go by."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    """
    CREATE FUNCTION mark_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.changed_in := pg_current_xact_id()::text::bigint;
      RETURN NEW;
    END $$
    """,
    "ALTER TABLE service ADD COLUMN changed_in bigint NOT NULL DEFAULT 0",
    "ALTER TABLE service_request ADD COLUMN changed_in bigint NOT NULL DEFAULT 0",
    """
    CREATE TRIGGER service_changed BEFORE INSERT OR UPDATE ON service
    FOR EACH ROW EXECUTE FUNCTION mark_change()
    """,
    """
    CREATE TRIGGER service_request_changed BEFORE INSERT OR UPDATE ON service_request
    FOR EACH ROW EXECUTE FUNCTION mark_change()
    """,
    "CREATE INDEX service_changes ON service (changed_in, id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
