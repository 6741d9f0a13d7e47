"""Interfaces and event types as exchange lists them, with how much they are used."""

from alembic import op

revision = "0017"
down_revision = "0016"

STATEMENTS = (
    """
    CREATE TABLE listed_api (
      kind text NOT NULL CHECK (kind IN ('interface', 'event')),
      name text NOT NULL,
      agency text NOT NULL,
      provider text,
      title text NOT NULL,
      description text NOT NULL,
      lifecycle text NOT NULL CHECK (lifecycle IN ('active', 'deprecated', 'retired')),
      deprecated_at timestamptz,
      ends_at timestamptz,
      successor text,
      data_categories text[] NOT NULL,
      contract text NOT NULL,
      calls bigint NOT NULL,
      consumers bigint NOT NULL,
      agencies bigint NOT NULL,
      last_used_on date,
      PRIMARY KEY (kind, name)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
