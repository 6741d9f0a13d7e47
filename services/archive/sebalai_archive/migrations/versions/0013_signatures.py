"""What is known of each signed file and of what was added to it since; what is written there stays.

Letters and minutes signed before are taken up as they are (B-B): they get their timestamps once an
authority is set up.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    CREATE TABLE signature (
      record_id uuid PRIMARY KEY REFERENCES record,
      agency text NOT NULL,
      profile text NOT NULL CHECK (profile IN ('B-B', 'B-T', 'B-LT', 'B-LTA')),
      state text NOT NULL CHECK (state IN
        ('plain', 'awaiting_timestamp', 'timestamped', 'preserved')),
      revisions integer NOT NULL CHECK (revisions > 0),
      due_at timestamptz NOT NULL,
      tries integer NOT NULL DEFAULT 0,
      problem text
    )
    """,
    "CREATE INDEX signature_due ON signature (due_at)",
    """
    CREATE TABLE signature_revision (
      record_id uuid NOT NULL REFERENCES signature,
      place integer NOT NULL CHECK (place > 0),
      profile text NOT NULL CHECK (profile IN ('B-B', 'B-T', 'B-LT', 'B-LTA')),
      content_sha256 text NOT NULL CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
      content_bytes bigint NOT NULL,
      at timestamptz NOT NULL,
      stamped_at timestamptz,
      good_until timestamptz,
      event_id uuid,
      statement text,
      PRIMARY KEY (record_id, place),
      CHECK (num_nulls(stamped_at, good_until) IN (0, 2)),
      CHECK (num_nulls(event_id, statement) IN (0, 2))
    )
    """,
    "CREATE INDEX signature_revision_content ON signature_revision (content_sha256)",
    """
    CREATE FUNCTION keep_signature_revision() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'a signed file is added to, never changed' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER signature_revision_kept BEFORE UPDATE OR DELETE ON signature_revision
    FOR EACH ROW EXECUTE FUNCTION keep_signature_revision()
    """,
    # Row security binds the owner too: as the archive's own worker it sees every record.
    "SELECT set_config('archive.rank', 'worker', true)",
    """
    CREATE TEMPORARY TABLE signed_before ON COMMIT DROP AS
    SELECT r.id, r.agency, r.content_sha256, r.content_bytes, r.declared_at FROM record r
    WHERE r.state = 'declared' AND (r.id IN (SELECT record_id FROM outgoing_letter)
      OR r.id IN (SELECT record_id FROM disposal_minutes))
    """,
    """
    INSERT INTO signature (record_id, agency, profile, state, revisions, due_at)
    SELECT id, agency, 'B-B', 'plain', 1, declared_at FROM signed_before
    """,
    """
    INSERT INTO signature_revision (record_id, place, profile, content_sha256, content_bytes, at)
    SELECT id, 1, 'B-B', content_sha256, content_bytes, declared_at FROM signed_before
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
