"""Agreements of the bus as far as the processing register tells of them."""

from alembic import op

revision = "0020"
down_revision = "0019"

STATEMENTS = (
    """
    CREATE TABLE known_agreement (
      id uuid PRIMARY KEY,
      consumer text NOT NULL,
      provider text NOT NULL,
      owner text NOT NULL,
      interface text NOT NULL,
      purposes text[] NOT NULL,
      data_categories text[] NOT NULL,
      valid_from timestamptz NOT NULL,
      valid_until timestamptz NOT NULL,
      state text NOT NULL CHECK (state IN ('granted', 'suspended', 'revoked', 'replaced')),
      seen_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX known_agreement_by_owner ON known_agreement (owner, valid_until)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
