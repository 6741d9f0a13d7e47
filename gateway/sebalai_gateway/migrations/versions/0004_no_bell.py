"""The journal rings no bell: what notifies commits one by one in all of PostgreSQL (ADR 0033)."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Every call waits while this waits for who reads the journal, and its entry has two seconds:
    # so it lets go quickly, and tries again for half a minute.
    op.execute(
        """
        DO $$ BEGIN
          SET LOCAL lock_timeout = '200ms';
          FOR attempt IN 1..60 LOOP
            BEGIN
              DROP TRIGGER journal_bell ON journal;
              DROP FUNCTION ring_journal();
              RETURN;
            EXCEPTION WHEN lock_not_available THEN
              PERFORM pg_sleep(0.3);
            END;
          END LOOP;
          RAISE lock_not_available USING MESSAGE = 'the journal is read without a pause; try again';
        END $$
        """
    )
