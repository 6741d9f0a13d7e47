"""Agreements may ask for signed messages (RFC 9421)."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE agreement ADD COLUMN signing text NOT NULL DEFAULT 'none' "
        "CHECK (signing IN ('none', 'request', 'both'))"
    )
