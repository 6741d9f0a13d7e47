"""The words of each version apart, so that a search compares words and not whole texts; searches
whose results fitted nobody are counted beside those that found nothing.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

STATEMENTS = (
    # Every word there is, once: likeness is computed for these few thousand alone.
    "CREATE TABLE search_word (word text PRIMARY KEY)",
    "CREATE INDEX search_word_trigrams ON search_word USING gin (word gin_trgm_ops)",
    # A word of a name or a keyword counts more than one of the summary.
    """
    CREATE TABLE service_word (
      service_id uuid NOT NULL,
      version integer NOT NULL,
      word text NOT NULL REFERENCES search_word,
      is_head boolean NOT NULL,
      PRIMARY KEY (word, service_id, version),
      FOREIGN KEY (service_id, version) REFERENCES service_version
    )
    """,
    "CREATE INDEX service_word_of ON service_word (service_id, version)",
    """
    CREATE FUNCTION words_of(heads text, terms text) RETURNS TABLE (word text, is_head boolean)
    IMMUTABLE LANGUAGE sql AS $$
      SELECT word, bool_or(is_head) FROM (
        SELECT regexp_split_to_table(heads, '[^a-z0-9]+') AS word, true AS is_head
        UNION ALL SELECT regexp_split_to_table(terms, '[^a-z0-9]+'), false
      ) AS words WHERE length(word) > 1 GROUP BY word
    $$
    """,
    """
    CREATE FUNCTION keep_words() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO search_word SELECT word FROM words_of(NEW.heads, NEW.terms) ORDER BY word
      ON CONFLICT DO NOTHING;
      INSERT INTO service_word
      SELECT NEW.service_id, NEW.version, word, is_head FROM words_of(NEW.heads, NEW.terms);
      RETURN NULL;
    END $$
    """,
    """
    INSERT INTO search_word
    SELECT DISTINCT word FROM service_version, words_of(heads, terms)
    """,
    """
    INSERT INTO service_word
    SELECT service_id, version, word, is_head FROM service_version, words_of(heads, terms)
    """,
    """
    CREATE TRIGGER service_version_words AFTER INSERT ON service_version
    FOR EACH ROW EXECUTE FUNCTION keep_words()
    """,
    "ALTER TABLE search_miss ADD COLUMN unfitting integer NOT NULL DEFAULT 0",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
