"""Scans without text wait for recognition; what becomes of it stands with the examination."""

from alembic import op

revision = "0021"
down_revision = "0020"

STATEMENTS = (
    """
    ALTER TABLE examination
      ADD COLUMN recognition text CHECK
        (recognition IN ('waiting', 'done', 'empty', 'failed', 'over_limit')),
      ADD COLUMN recognised_pages integer
    """,
    """
    CREATE INDEX examination_waiting ON examination (at) WHERE recognition = 'waiting'
    """,
    # Scans that were looked into before: PDF without text, and pictures by their PRONOM ids.
    """
    UPDATE examination SET recognition = 'waiting'
    WHERE state = 'no_text' AND (pages > 0 OR puid IN
      ('fmt/11', 'fmt/12', 'fmt/13', 'fmt/41', 'fmt/42', 'fmt/43', 'fmt/44', 'fmt/353', 'x-fmt/387'))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
