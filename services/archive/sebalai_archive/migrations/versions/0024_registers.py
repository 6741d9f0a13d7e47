"""Letters are found in their registers by parts of words: of number, subject, sender, addressees."""

from alembic import op

revision = "0024"
down_revision = "0023"

STATEMENTS = (
    """
    CREATE INDEX outgoing_letter_words ON outgoing_letter
    USING gin (number_text gin_trgm_ops, subject gin_trgm_ops,
      (jsonb_path_query_array(addressees, '$[*].name')::text) gin_trgm_ops)
    """,
    """
    CREATE INDEX incoming_letter_words ON incoming_letter
    USING gin (letter_number gin_trgm_ops, subject gin_trgm_ops, sender gin_trgm_ops,
      agenda gin_trgm_ops)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
