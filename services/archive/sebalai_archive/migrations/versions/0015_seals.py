"""How sealed contents lie, and one view of who names which stored bytes."""

from alembic import op

revision = "0015"
down_revision = "0014"

STATEMENTS = (
    """
    CREATE TABLE content_seal (
      sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      security_class text NOT NULL
        CHECK (security_class IN ('terbatas', 'rahasia', 'sangat_rahasia')),
      stored text NOT NULL UNIQUE CHECK (stored ~ '^[0-9a-f]{64}$'),
      size bigint NOT NULL CHECK (size >= 0),
      key_id text NOT NULL,
      wrapped_key bytea NOT NULL,
      sealed_at timestamptz NOT NULL,
      touched_at timestamptz NOT NULL,
      PRIMARY KEY (sha256, security_class)
    )
    """,
    "CREATE INDEX content_seal_key ON content_seal (security_class, key_id)",
    "CREATE INDEX incoming_letter_content ON incoming_letter (content_sha256)",
    # One row for each that names a content: a living record, what was added to its signature, a
    # letter that came over the bus and has no record of its own.
    """
    CREATE VIEW named_content AS
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
    ) c
    LEFT JOIN content_seal s ON s.sha256 = c.sha256 AND s.security_class = c.security_class
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
