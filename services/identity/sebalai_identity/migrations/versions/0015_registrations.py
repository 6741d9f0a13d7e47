"""Clients that register themselves (RFC 7591): initial tokens, registrations, and their requests."""

from alembic import op

revision = "0015"
down_revision = "0014"

STATEMENTS = (
    """
    CREATE TABLE initial_token (
      id uuid PRIMARY KEY,
      agency text NOT NULL REFERENCES agency (slug),
      digest bytea NOT NULL UNIQUE,
      purpose text NOT NULL,
      registrations integer NOT NULL CHECK (registrations BETWEEN 1 AND 100),
      used integer NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND registrations),
      valid_until timestamptz NOT NULL,
      issued_by text NOT NULL,
      issued_by_system_of text REFERENCES agency (slug),
      issued_at timestamptz NOT NULL,
      revoked_at timestamptz
    )
    """,
    "CREATE INDEX initial_token_agency ON initial_token (agency, id)",
    "ALTER TABLE client_request ADD COLUMN client_id uuid",
    "ALTER TABLE client_request ADD COLUMN keys jsonb",
    "ALTER TABLE client_request DROP CONSTRAINT client_request_state_check",
    """
    ALTER TABLE client_request ADD CONSTRAINT client_request_state_check
      CHECK (state IN ('requested', 'approved', 'refused', 'withdrawn'))
    """,
    """
    CREATE INDEX client_request_client ON client_request (client_id, requested_at)
      WHERE client_id IS NOT NULL
    """,
    """
    CREATE TABLE client_registration (
      client_id uuid PRIMARY KEY,
      agency text NOT NULL REFERENCES agency (slug),
      name text NOT NULL,
      initial_token_id uuid NOT NULL REFERENCES initial_token,
      digest bytea NOT NULL UNIQUE,
      request_id uuid NOT NULL REFERENCES client_request,
      in_force jsonb,
      waiting jsonb,
      registered_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL,
      ended_at timestamptz
    )
    """,
    "ALTER TABLE application DROP CONSTRAINT application_state_check",
    """
    ALTER TABLE application ADD CONSTRAINT application_state_check
      CHECK (state IN ('active', 'suspended', 'ended'))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
