"""The journal, partitioned by day, and the relay's cursor."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE journal_seq")
    op.execute(
        """
        CREATE TABLE journal (
          day date NOT NULL,
          message_id uuid NOT NULL,
          phase text NOT NULL CHECK (phase IN ('requested', 'completed')),
          seq bigint NOT NULL DEFAULT nextval('journal_seq'),
          xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
          at timestamptz NOT NULL,
          record jsonb NOT NULL,
          PRIMARY KEY (day, message_id, phase)
        ) PARTITION BY RANGE (day)
        """
    )
    op.execute("CREATE INDEX journal_horizon ON journal (xid, seq) WHERE phase = 'completed'")
    # Days come from the worker; what no partition waits for lands here and is never refused.
    op.execute("CREATE TABLE journal_default PARTITION OF journal DEFAULT")
    op.execute(
        """
        CREATE TABLE relay_cursor (
          name text PRIMARY KEY,
          xid xid8 NOT NULL,
          seq bigint NOT NULL,
          moved_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    op.execute(
        """
        CREATE FUNCTION ring_journal() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('journal', ''); RETURN NULL; END $$
        """
    )
    op.execute(
        "CREATE TRIGGER journal_bell AFTER INSERT ON journal "
        "FOR EACH STATEMENT EXECUTE FUNCTION ring_journal()"
    )
    # Append-only: nobody rewrites an entry, not even through this role's own SQL.
    op.execute(
        """
        CREATE FUNCTION keep_journal() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$
        """
    )
    op.execute(
        "CREATE TRIGGER journal_kept BEFORE UPDATE OR DELETE ON journal "
        "FOR EACH ROW EXECUTE FUNCTION keep_journal()"
    )
