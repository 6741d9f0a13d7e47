"""What stands in OCFL of each record; its documents are contents too, also of destroyed records."""

from alembic import op

revision = "0018"
down_revision = "0017"

STATEMENTS = (
    """
    CREATE TABLE preserved_version (
      record_id uuid NOT NULL REFERENCES record,
      version integer NOT NULL CHECK (version > 0),
      document_sha256 text NOT NULL CHECK (document_sha256 ~ '^[0-9a-f]{64}$'),
      document_bytes bigint NOT NULL CHECK (document_bytes >= 0),
      at timestamptz NOT NULL,
      PRIMARY KEY (record_id, version)
    )
    """,
    "CREATE INDEX preserved_version_document ON preserved_version (document_sha256)",
    # When each record was last compared with its object; the longest ago comes first.
    """
    CREATE TABLE preserved_record (
      record_id uuid PRIMARY KEY REFERENCES record,
      looked_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX preserved_record_oldest ON preserved_record (looked_at)",
    """
    CREATE FUNCTION await_preservation() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO preserved_record (record_id, looked_at) VALUES (NEW.id, '-infinity')
      ON CONFLICT DO NOTHING;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER record_preserved AFTER INSERT OR UPDATE OF state ON record
    FOR EACH ROW WHEN (NEW.state = 'declared') EXECUTE FUNCTION await_preservation()
    """,
    # Row security binds the owner too: as the archive's own worker it sees every record.
    "SELECT set_config('archive.rank', 'worker', true)",
    """
    INSERT INTO preserved_record (record_id, looked_at)
    SELECT id, '-infinity' FROM record WHERE state = 'declared'
    """,
    """
    CREATE OR REPLACE VIEW named_content AS
    SELECT coalesce(s.stored, c.sha256) AS stored, c.sha256, c.security_class, c.bytes,
      s.stored IS NOT NULL AS is_sealed
    FROM (
      SELECT r.content_sha256 AS sha256, r.security_class, r.content_bytes AS bytes FROM record r
      WHERE r.content_sha256 IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = r.id)
      UNION ALL
      SELECT v.content_sha256, r.security_class, v.content_bytes FROM signature_revision v
      JOIN record r ON r.id = v.record_id
      WHERE NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = r.id)
      UNION ALL
      SELECT l.content_sha256, l.security_class, l.content_bytes FROM incoming_letter l
      WHERE l.content_sha256 IS NOT NULL AND l.record_id IS NULL
      UNION ALL
      SELECT p.document_sha256, r.security_class, p.document_bytes FROM preserved_version p
      JOIN record r ON r.id = p.record_id
    ) c
    LEFT JOIN content_seal s ON s.sha256 = c.sha256 AND s.security_class = c.security_class
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
