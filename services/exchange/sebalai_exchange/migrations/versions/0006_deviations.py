"""How often calls deviated from their contract, and where."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE deviation (
          interface text NOT NULL,
          contract_sha256 text NOT NULL,
          deviation text NOT NULL,
          calls bigint NOT NULL CHECK (calls > 0),
          first_at timestamptz NOT NULL DEFAULT now(),
          last_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (interface, contract_sha256, deviation)
        )
        """
    )
