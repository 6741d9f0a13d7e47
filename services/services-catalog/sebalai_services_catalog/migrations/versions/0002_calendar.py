"""The calendar of working days: days, weeks of agencies, and the count of its changes."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    CREATE TABLE calendar_day (
      agency text NOT NULL,
      day date NOT NULL,
      kind text NOT NULL
        CHECK (kind IN ('libur_nasional', 'cuti_bersama', 'libur_instansi', 'hari_kerja')),
      name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
      basis text NOT NULL,
      removed boolean NOT NULL DEFAULT false,
      edited_by text,
      edited_at timestamptz,
      provenance_status text NOT NULL
        CHECK (provenance_status IN ('verified', 'partly', 'unverified', 'inferred', 'synthetic')),
      provenance_source text NOT NULL,
      PRIMARY KEY (agency, day),
      CHECK ((edited_by IS NULL) = (edited_at IS NULL))
    )
    """,
    """
    CREATE TABLE agency_week (
      agency text PRIMARY KEY,
      weekdays integer[] NOT NULL
        CHECK (cardinality(weekdays) BETWEEN 1 AND 7 AND weekdays <@ '{1,2,3,4,5,6,7}'),
      basis text NOT NULL,
      edited_by text NOT NULL,
      edited_at timestamptz NOT NULL
    )
    """,
    "CREATE TABLE calendar_revision (single boolean PRIMARY KEY CHECK (single), revision integer NOT NULL)",
    "INSERT INTO calendar_revision VALUES (true, 1)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
