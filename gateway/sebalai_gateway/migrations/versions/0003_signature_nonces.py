"""Nonces of signed requests, so that none is taken twice by any gateway."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        """
        CREATE TABLE signature_nonce (
          digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
          expires_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX signature_nonce_expiry ON signature_nonce (expires_at)")
