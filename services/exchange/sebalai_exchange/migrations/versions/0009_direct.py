"""Direct NATS: a subscription's start and the digest of its credential."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    "ALTER TABLE subscription DROP CONSTRAINT subscription_kind_check",
    "ALTER TABLE subscription ADD CONSTRAINT subscription_kind_check CHECK (kind IN ('webhook', 'pull', 'sse', 'nats'))",
    """
    CREATE TABLE direct (
      subscription uuid PRIMARY KEY REFERENCES subscription,
      starts_at timestamptz NOT NULL,
      issue integer NOT NULL DEFAULT 0,
      digest bytea CHECK (length(digest) = 32),
      issued_at timestamptz
    )
    """,
    """
    CREATE TRIGGER direct_bell AFTER INSERT OR UPDATE OR DELETE ON direct
    FOR EACH STATEMENT EXECUTE FUNCTION ring_subscription()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
