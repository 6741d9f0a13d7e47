"""Tries with another's number count as misses too."""

from alembic import op

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    "DROP INDEX evidence_consent_act_miss",
    """
    CREATE INDEX evidence_consent_act_miss ON evidence_consent_act (actor, at)
    WHERE outcome IN ('no_match', 'other_person')
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
