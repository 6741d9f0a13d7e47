"""Device codes, and clients that want to hear of a session's end."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    """
    CREATE TABLE device_code (
      slot smallint NOT NULL,
      digest bytea NOT NULL,
      user_code bytea NOT NULL,
      client_id uuid NOT NULL,
      scopes text[] NOT NULL,
      state text NOT NULL CHECK (state IN ('waiting', 'approved', 'refused', 'used')),
      content jsonb,
      interval_seconds integer NOT NULL,
      polled_at timestamptz,
      expires_at timestamptz NOT NULL,
      PRIMARY KEY (slot, digest)
    ) PARTITION BY LIST (slot)
    """,
    *(
        f"CREATE TABLE device_code_{slot} PARTITION OF device_code FOR VALUES IN ({slot})"
        for slot in range(4)
    ),
    "CREATE INDEX device_code_user_code ON device_code (user_code)",
    """
    CREATE TABLE logout_listener (
      session_id uuid NOT NULL,
      client_id uuid NOT NULL,
      subject text NOT NULL,
      noted_at timestamptz NOT NULL DEFAULT now(),
      due_at timestamptz,
      tries smallint NOT NULL DEFAULT 0,
      PRIMARY KEY (session_id, client_id)
    )
    """,
    "CREATE INDEX logout_listener_due_at ON logout_listener (due_at) WHERE due_at IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
