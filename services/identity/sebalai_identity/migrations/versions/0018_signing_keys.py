"""A version of what applications sign with, so that gateways ask only when something changed."""

from alembic import op

revision = "0018"
down_revision = "0017"

STATEMENTS = (
    "CREATE TABLE application_keys_version (is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), version bigint NOT NULL)",
    "INSERT INTO application_keys_version (version) VALUES (1)",
    """
    CREATE FUNCTION note_application_keys() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN UPDATE application_keys_version SET version = version + 1; RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER application_key_noted AFTER INSERT OR UPDATE OR DELETE ON application_key
    FOR EACH STATEMENT EXECUTE FUNCTION note_application_keys()
    """,
    """
    CREATE TRIGGER application_noted AFTER UPDATE OF state, valid_until, identifier ON application
    FOR EACH STATEMENT EXECUTE FUNCTION note_application_keys()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
