"""What became of calls with an Idempotency-Key; how much of each quota is used."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute(
        """
        CREATE TABLE repeat (
          key_digest bytea PRIMARY KEY CHECK (octet_length(key_digest) = 32),
          message_id uuid NOT NULL,
          head_digest bytea NOT NULL,
          body_digest bytea,
          state text NOT NULL CHECK (state IN ('pending', 'answered', 'unknown')),
          pending_until timestamptz NOT NULL,
          expires_at timestamptz NOT NULL,
          status smallint,
          sealed bytea CHECK (octet_length(sealed) <= 131072)
        )
        """
    )
    op.execute("CREATE INDEX repeat_expiry ON repeat (expires_at)")
    op.execute(
        """
        CREATE TABLE quota_use (
          series text NOT NULL,
          consumer text NOT NULL,
          period text NOT NULL,
          used bigint NOT NULL CHECK (used >= 0),
          ends_at timestamptz NOT NULL,
          PRIMARY KEY (series, consumer, period)
        )
        """
    )
    op.execute("CREATE INDEX quota_use_end ON quota_use (ends_at)")
