"""Search at a million records: the index of words without row security, the readable text with it.

PostgreSQL never lets `@@` use an index below row security, because the operator is not leakproof:
each search walked every record. The index of words now stands alone and is read by one statement,
which joins `record`, whose row security stays; what can be read as text has a wall of its own.

What takes long is done first, beside those who read and index; under the lock comes what changed
meanwhile, and what takes a moment.
"""

from alembic import op

revision = "0019"
down_revision = "0018"

BESIDE = (
    # Row security binds the owner too: as the archive's own worker it sees every record.
    "SELECT set_config('archive.rank', 'worker', true)",
    "CREATE TABLE record_excerpt (record_id uuid PRIMARY KEY, excerpt text NOT NULL)",
    "INSERT INTO record_excerpt SELECT record_id, excerpt FROM record_text",
    # Typing errors are mended by the words of titles: a few ten thousand, however many records.
    "CREATE TABLE title_word (word text PRIMARY KEY)",
    """
    INSERT INTO title_word
    SELECT DISTINCT word FROM record_text, regexp_split_to_table(lower(label), '[^[:alpha:]]+') word
    WHERE length(word) BETWEEN 4 AND 60
    """,
    "CREATE INDEX title_word_similar ON title_word USING gin (word gin_trgm_ops)",
)
LOCKED = (
    "LOCK TABLE record_text IN ACCESS EXCLUSIVE MODE",
    """
    DELETE FROM record_excerpt e
    WHERE NOT EXISTS (SELECT 1 FROM record_text t WHERE t.record_id = e.record_id)
    """,
    """
    CREATE TEMP TABLE late ON COMMIT DROP AS
    SELECT record_id, excerpt, label FROM record_text t
    WHERE t.at > now() - interval '1 day'
      OR NOT EXISTS (SELECT 1 FROM record_excerpt e WHERE e.record_id = t.record_id)
    """,
    """
    INSERT INTO record_excerpt SELECT record_id, excerpt FROM late
    ON CONFLICT (record_id) DO UPDATE SET excerpt = excluded.excerpt
    """,
    """
    INSERT INTO title_word
    SELECT DISTINCT word FROM late, regexp_split_to_table(lower(label), '[^[:alpha:]]+') word
    WHERE length(word) BETWEEN 4 AND 60
    ON CONFLICT DO NOTHING
    """,
    "DROP POLICY text_seen ON record_text",
    "ALTER TABLE record_text NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE record_text DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE record_text DROP COLUMN excerpt",
    "DROP INDEX record_text_label",
    "ALTER TABLE record_excerpt ADD FOREIGN KEY (record_id) REFERENCES record",
    "ALTER TABLE record_excerpt ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE record_excerpt FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY excerpt_seen ON record_excerpt
    USING (EXISTS (SELECT 1 FROM record r WHERE r.id = record_id))
    """,
)


def upgrade() -> None:
    for statement in (*BESIDE, *LOCKED):
        op.execute(statement)
