"""Accounts, passwords, one-time codes, recovery codes, passkeys, invitations, counts of attempts."""

from alembic import op

revision = "0006"
down_revision = "0005"

CREDENTIALS = (
    """
    CREATE TABLE account (
      subject uuid PRIMARY KEY,
      login text NOT NULL UNIQUE CHECK (login = lower(login) AND length(login) BETWEEN 3 AND 64),
      sponsor text REFERENCES agency (slug),
      created_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE password (
      subject uuid PRIMARY KEY REFERENCES account,
      hash text NOT NULL CHECK (hash LIKE '$argon2id$%'),
      changed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE one_time (
      subject uuid PRIMARY KEY REFERENCES account,
      sealed bytea NOT NULL,
      last_step bigint NOT NULL,
      confirmed_at timestamptz
    )
    """,
    """
    CREATE TABLE recovery_code (
      digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
      subject uuid NOT NULL REFERENCES account,
      used_at timestamptz
    )
    """,
    "CREATE INDEX recovery_code_subject ON recovery_code (subject)",
    """
    CREATE TABLE passkey (
      id bytea PRIMARY KEY CHECK (octet_length(id) BETWEEN 16 AND 1023),
      subject uuid NOT NULL REFERENCES account,
      public_key bytea NOT NULL,
      sign_count bigint NOT NULL,
      transports text[] NOT NULL,
      aaguid uuid NOT NULL,
      is_bound boolean NOT NULL,
      is_backed_up boolean NOT NULL CHECK (NOT (is_bound AND is_backed_up)),
      label text NOT NULL,
      created_at timestamptz NOT NULL,
      used_at timestamptz
    )
    """,
    "CREATE INDEX passkey_subject ON passkey (subject)",
    """
    CREATE TABLE invitation (
      digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
      subject uuid NOT NULL,
      sponsor text REFERENCES agency (slug),
      issued_by text NOT NULL,
      issued_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      used_at timestamptz
    )
    """,
    "CREATE INDEX invitation_subject ON invitation (subject)",
)

# Unlogged: after a crash of PostgreSQL they are empty. A challenge, a half-done sign-in and a count
# live for minutes; a forgotten device is throttled like a new one.
PASSING = (
    """
    CREATE UNLOGGED TABLE attempt_count (
      key bytea PRIMARY KEY,
      failures integer NOT NULL,
      last_at timestamptz NOT NULL,
      blocked_until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX attempt_count_last_at ON attempt_count (last_at)",
    """
    CREATE UNLOGGED TABLE challenge (
      digest bytea PRIMARY KEY,
      browser bytea NOT NULL,
      purpose text NOT NULL,
      subject uuid,
      expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX challenge_expires_at ON challenge (expires_at)",
    """
    CREATE UNLOGGED TABLE half_sign_in (
      browser bytea PRIMARY KEY,
      subject uuid NOT NULL,
      methods text[] NOT NULL,
      expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX half_sign_in_expires_at ON half_sign_in (expires_at)",
    """
    CREATE TABLE known_device (
      digest bytea NOT NULL,
      subject uuid NOT NULL REFERENCES account,
      used_at timestamptz NOT NULL,
      PRIMARY KEY (digest, subject)
    )
    """,
    "CREATE INDEX known_device_subject ON known_device (subject, used_at)",
    "CREATE INDEX known_device_used_at ON known_device (used_at)",
)


def upgrade() -> None:
    for statement in (*CREDENTIALS, *PASSING):
        op.execute(statement)
