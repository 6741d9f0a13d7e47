"""Interactions: authorization requests that wait for a person."""

from alembic import op

revision = "0002"
down_revision = "0001"

INTERACTION = (
    """
    CREATE TABLE interaction (
      slot smallint NOT NULL,
      digest bytea NOT NULL,
      wanted jsonb NOT NULL,
      opened_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      consented_at timestamptz,
      refusal text,
      closed_at timestamptz,
      PRIMARY KEY (slot, digest)
    ) PARTITION BY LIST (slot)
    """,
    *(
        f"CREATE TABLE interaction_{slot} PARTITION OF interaction FOR VALUES IN ({slot})"
        for slot in range(4)
    ),
    "CREATE INDEX interaction_digest ON interaction (digest)",
)


def upgrade() -> None:
    for statement in INTERACTION:
        op.execute(statement)
