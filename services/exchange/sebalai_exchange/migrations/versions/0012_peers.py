"""Other instances this one exchanges calls with, named by the operator of each side."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    """
    CREATE TABLE peer (
      instance text PRIMARY KEY,
      gateway text NOT NULL,
      keys jsonb NOT NULL,
      ledger_key text NOT NULL,
      offers text[] NOT NULL,
      state text NOT NULL CHECK (state IN ('active', 'ended')),
      reason text,
      changed_by text NOT NULL,
      changed_at timestamptz NOT NULL,
      route_version bigint NOT NULL DEFAULT 1
    )
    """,
    "CREATE INDEX peer_routed ON peer (route_version)",
    "CREATE TRIGGER peer_route BEFORE INSERT OR UPDATE ON peer FOR EACH ROW EXECUTE FUNCTION note_route_change()",
    "CREATE TRIGGER peer_gone AFTER DELETE ON peer FOR EACH STATEMENT EXECUTE FUNCTION note_route_deletion()",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
