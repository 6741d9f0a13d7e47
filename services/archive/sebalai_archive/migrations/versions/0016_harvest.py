"""What harvesters see of public records, and the changes that wait to be shown."""

from alembic import op

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    # No key on the record: two changes of one record must not wait for one another.
    """
    CREATE TABLE harvest_change (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      record_id uuid NOT NULL REFERENCES record
    )
    """,
    "CREATE SEQUENCE harvest_seq",
    """
    CREATE TABLE harvest_item (
      record_id uuid PRIMARY KEY REFERENCES record,
      seq bigint NOT NULL UNIQUE,
      at timestamptz NOT NULL CHECK (at = date_trunc('second', at)),
      agency text NOT NULL,
      section text NOT NULL,
      is_deleted boolean NOT NULL
    )
    """,
    "CREATE INDEX harvest_item_at ON harvest_item (at, seq)",
    "CREATE INDEX harvest_item_agency ON harvest_item (agency, seq)",
    "CREATE INDEX harvest_item_section ON harvest_item (section, seq)",
    """
    CREATE FUNCTION note_declared_for_harvest() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO harvest_change (record_id) VALUES (NEW.id);
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER record_harvested AFTER INSERT OR UPDATE OF state ON record FOR EACH ROW
    WHEN (NEW.state = 'declared' AND NEW.security_class = 'biasa')
    EXECUTE FUNCTION note_declared_for_harvest()
    """,
    """
    CREATE FUNCTION note_destroyed_for_harvest() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO harvest_change (record_id)
      SELECT id FROM record WHERE id = NEW.record_id AND security_class = 'biasa';
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER tombstone_harvested AFTER INSERT ON tombstone FOR EACH ROW
    EXECUTE FUNCTION note_destroyed_for_harvest()
    """,
    # Row security binds the owner too: as the archive's own worker it sees every record.
    "SELECT set_config('archive.rank', 'worker', true)",
    """
    INSERT INTO harvest_change (record_id)
    SELECT id FROM record WHERE state = 'declared' AND security_class = 'biasa' ORDER BY id
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
