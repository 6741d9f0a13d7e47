"""The OpenID Provider: what clients are, codes, pushed requests, refresh families, used proofs."""

from alembic import op

revision = "0004"
down_revision = "0003"

SLOTS = 4


def _slots(table: str, unlogged: str = "") -> tuple[str, ...]:
    return tuple(
        f"CREATE {unlogged} TABLE {table}_{slot} PARTITION OF {table} FOR VALUES IN ({slot})"
        for slot in range(SLOTS)
    )


CLIENTS = ("ALTER TABLE application ADD COLUMN client jsonb NOT NULL DEFAULT '{}'",)

KEYS = (
    "ALTER TABLE signing_key DROP CONSTRAINT signing_key_state_check",
    "ALTER TABLE signing_key ADD COLUMN algorithm text NOT NULL DEFAULT 'ES256'",
    """
    ALTER TABLE signing_key ADD CONSTRAINT signing_key_state_check
      CHECK (state IN ('next', 'active', 'retiring', 'retired', 'compromised'))
    """,
    "DROP INDEX signing_key_single",
    # Of each algorithm one key may sign, one may be waiting.
    """
    CREATE UNIQUE INDEX signing_key_single ON signing_key (algorithm, state)
      WHERE state IN ('next', 'active')
    """,
)

CODES = (
    """
    CREATE TABLE authorization_code (
      slot smallint NOT NULL,
      digest bytea NOT NULL,
      grant_id uuid NOT NULL,
      content jsonb NOT NULL,
      expires_at timestamptz NOT NULL,
      used_at timestamptz,
      PRIMARY KEY (slot, digest)
    ) PARTITION BY LIST (slot)
    """,
    *_slots("authorization_code"),
    """
    CREATE TABLE pushed_request (
      slot smallint NOT NULL,
      digest bytea NOT NULL,
      client_id uuid NOT NULL,
      parameters jsonb NOT NULL,
      expires_at timestamptz NOT NULL,
      used_at timestamptz,
      PRIMARY KEY (slot, digest)
    ) PARTITION BY LIST (slot)
    """,
    *_slots("pushed_request"),
)

FAMILIES = (
    """
    CREATE TABLE refresh_family (
      slot smallint NOT NULL,
      id uuid NOT NULL,
      client_id uuid NOT NULL,
      subject uuid NOT NULL,
      session_id uuid NOT NULL,
      content jsonb NOT NULL,
      jkt text,
      number integer NOT NULL DEFAULT 0,
      moved_at timestamptz NOT NULL,
      idle_until timestamptz NOT NULL,
      absolute_until timestamptz NOT NULL,
      revoked_at timestamptz,
      reason text,
      PRIMARY KEY (slot, id)
    ) PARTITION BY LIST (slot)
    """,
    *_slots("refresh_family"),
    *(f"ALTER TABLE refresh_family_{slot} SET (fillfactor = 80)" for slot in range(SLOTS)),
    "CREATE INDEX refresh_family_subject ON refresh_family (subject)",
    "CREATE INDEX refresh_family_session ON refresh_family (session_id)",
    "CREATE INDEX refresh_family_id ON refresh_family (id)",
)

# Unlogged: after a crash of PostgreSQL it is empty, and a proof lives at most 300 s.
PROOFS = (
    "DROP TABLE used_assertion",
    """
    CREATE TABLE used_proof (
      slot smallint NOT NULL,
      owner text NOT NULL,
      jti text NOT NULL,
      PRIMARY KEY (slot, owner, jti)
    ) PARTITION BY LIST (slot)
    """,
    *_slots("used_proof", "UNLOGGED"),
)

REVOCATIONS = (
    """
    CREATE TABLE revocation (
      slot smallint NOT NULL,
      key text NOT NULL,
      not_before timestamptz NOT NULL,
      reason text NOT NULL,
      expires_at timestamptz NOT NULL,
      xid xid8 NOT NULL DEFAULT pg_current_xact_id()
    ) PARTITION BY LIST (slot)
    """,
    *_slots("revocation"),
    "CREATE INDEX revocation_key ON revocation (key)",
    "CREATE INDEX revocation_xid ON revocation (xid)",
)


def upgrade() -> None:
    for statement in (*CLIENTS, *KEYS, *CODES, *FAMILIES, *PROOFS, *REVOCATIONS):
        op.execute(statement)
