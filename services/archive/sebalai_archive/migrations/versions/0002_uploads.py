"""Resumable uploads: their state is here, their bytes in the content folder's `uploads/`."""

from alembic import op

revision = "0002"
down_revision = "0001"

UPLOADS = (
    """
    CREATE TABLE upload (
      id uuid PRIMARY KEY,
      record_id uuid NOT NULL REFERENCES record ON DELETE CASCADE,
      agency text NOT NULL,
      subject text NOT NULL,
      length bigint NOT NULL CHECK (length >= 0),
      received bigint NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND length),
      sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
      media_type text NOT NULL,
      metadata text NOT NULL,
      begun_key text,
      created_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      finished_sha256 text CHECK (finished_sha256 ~ '^[0-9a-f]{64}$')
    )
    """,
    "CREATE INDEX upload_expiry ON upload (expires_at)",
    "CREATE UNIQUE INDEX upload_begun_key ON upload (agency, subject, begun_key)",
    "CREATE INDEX upload_subject ON upload (subject) WHERE finished_sha256 IS NULL",
)


def upgrade() -> None:
    for statement in UPLOADS:
        op.execute(statement)
