"""The record that holds the signed minutes of a disposal; named once, never changed."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    """
    CREATE TABLE disposal_minutes (
      disposal_id uuid PRIMARY KEY REFERENCES disposal,
      record_id uuid NOT NULL UNIQUE REFERENCES record,
      at timestamptz NOT NULL
    )
    """,
    """
    CREATE FUNCTION keep_minutes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'minutes are issued once' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER minutes_kept BEFORE UPDATE OR DELETE ON disposal_minutes
    FOR EACH ROW EXECUTE FUNCTION keep_minutes()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
