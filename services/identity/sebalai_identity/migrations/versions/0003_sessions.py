"""Sessions and consents of persons."""

from alembic import op

revision = "0003"
down_revision = "0002"

SESSIONS = (
    """
    CREATE TABLE session (
      id uuid PRIMARY KEY,
      digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
      subject uuid NOT NULL,
      level smallint NOT NULL CHECK (level BETWEEN 1 AND 3),
      auth_time timestamptz NOT NULL,
      floor_level smallint NOT NULL CHECK (floor_level BETWEEN 1 AND level),
      floor_since timestamptz NOT NULL,
      methods text[] NOT NULL CHECK (cardinality(methods) > 0),
      device text NOT NULL,
      network text NOT NULL,
      started_at timestamptz NOT NULL,
      seen_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      ended_at timestamptz,
      end_reason text,
      CHECK ((ended_at IS NULL) = (end_reason IS NULL))
    )
    """,
    "CREATE INDEX session_subject ON session (subject, seen_at DESC) WHERE ended_at IS NULL",
    "CREATE INDEX session_expires_at ON session (expires_at)",
    "CREATE INDEX session_ended_at ON session (ended_at) WHERE ended_at IS NOT NULL",
)

CONSENTS = (
    """
    CREATE TABLE consent (
      id uuid PRIMARY KEY,
      subject uuid NOT NULL,
      client_id uuid NOT NULL,
      scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
      text_version text NOT NULL,
      granted_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      withdrawn_at timestamptz
    )
    """,
    "CREATE INDEX consent_standing ON consent (subject, client_id) WHERE withdrawn_at IS NULL",
)


def upgrade() -> None:
    for statement in (*SESSIONS, *CONSENTS):
        op.execute(statement)
