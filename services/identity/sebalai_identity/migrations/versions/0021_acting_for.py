"""For whom a person acts: what a representation covers, and the choice made in an interaction."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE representation ADD COLUMN matters text[] CHECK (cardinality(matters) > 0)"
    )
    op.execute("ALTER TABLE interaction ADD COLUMN chosen_by uuid, ADD COLUMN chosen uuid")
