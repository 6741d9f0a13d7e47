"""Versions of an interface's contract, how calls are checked by it, and its announced end."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    "ALTER TABLE contract ADD COLUMN outline text, ADD COLUMN pack text",
    """
    ALTER TABLE interface
      ADD COLUMN contract_version integer NOT NULL DEFAULT 1,
      ADD COLUMN validate_requests text NOT NULL DEFAULT 'off' CHECK (validate_requests IN ('off', 'monitor', 'enforce')),
      ADD COLUMN validate_responses text NOT NULL DEFAULT 'off' CHECK (validate_responses IN ('off', 'monitor', 'enforce')),
      ADD COLUMN deprecated_at timestamptz,
      ADD COLUMN sunset_at timestamptz,
      ADD COLUMN successor text,
      ADD CHECK (sunset_at IS NULL OR deprecated_at IS NOT NULL)
    """,
    """
    CREATE TABLE interface_version (
      interface_id uuid NOT NULL REFERENCES interface,
      number integer NOT NULL CHECK (number >= 1),
      contract_sha256 text NOT NULL REFERENCES contract,
      contract_version text NOT NULL,
      breaks jsonb NOT NULL,
      served text,
      published_by text NOT NULL,
      published_at timestamptz NOT NULL,
      PRIMARY KEY (interface_id, number)
    )
    """,
    """
    INSERT INTO interface_version
    SELECT id, 1, contract_sha256, coalesce(c.document::jsonb->'info'->>'version', ''), '[]', NULL, provider, published_at
    FROM interface JOIN contract c ON c.sha256 = contract_sha256
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
