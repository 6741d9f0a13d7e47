"""File units, mandatory metadata, security classes with row security, needs, loans, relations."""

from alembic import op

revision = "0003"
down_revision = "0002"

CLASSES = "('biasa', 'terbatas', 'rahasia', 'sangat_rahasia')"
RANKS = "('policy_maker', 'head', 'administrator', 'supervisor', 'staff', 'external')"

TABLES = (
    f"""
    CREATE TABLE standing (
      subject text PRIMARY KEY,
      agency text NOT NULL,
      unit text,
      rank text NOT NULL CHECK (rank IN {RANKS}),
      is_archivist boolean NOT NULL DEFAULT false,
      assignment text,
      valid_from timestamptz NOT NULL,
      valid_until timestamptz,
      set_by text NOT NULL,
      set_at timestamptz NOT NULL,
      CHECK (valid_until > valid_from)
    )
    """,
    f"""
    CREATE TABLE file_unit (
      id uuid PRIMARY KEY,
      agency text NOT NULL,
      unit text,
      number text NOT NULL,
      title text NOT NULL,
      classification_code text NOT NULL REFERENCES classification,
      security_class text NOT NULL CHECK (security_class IN {CLASSES}),
      opened_at timestamptz NOT NULL,
      opened_by text NOT NULL,
      closed_at timestamptz,
      UNIQUE (agency, number)
    )
    """,
    f"""
    ALTER TABLE record
      ADD COLUMN subject text NOT NULL DEFAULT '',
      ADD COLUMN unit text,
      ADD COLUMN file_unit_id uuid REFERENCES file_unit,
      ADD COLUMN security_class text NOT NULL DEFAULT 'terbatas' CHECK (security_class IN {CLASSES}),
      ADD COLUMN number text,
      ADD COLUMN dated date,
      ADD COLUMN development_level text NOT NULL DEFAULT 'asli'
        CHECK (development_level IN ('asli', 'salinan', 'tembusan', 'pertinggal')),
      ADD COLUMN medium text NOT NULL DEFAULT 'elektronik',
      ADD COLUMN language text NOT NULL DEFAULT 'id',
      ADD COLUMN condition text NOT NULL DEFAULT 'baik',
      ADD COLUMN protection text NOT NULL DEFAULT 'biasa'
        CHECK (protection IN ('biasa', 'vital', 'terjaga')),
      ADD COLUMN location text,
      ADD COLUMN filename text
    """,
    "CREATE INDEX record_file_unit ON record (file_unit_id)",
    """
    CREATE TABLE record_need (
      id uuid PRIMARY KEY,
      record_id uuid NOT NULL REFERENCES record ON DELETE CASCADE,
      kind text NOT NULL CHECK (kind IN ('addressee', 'leave', 'case')),
      agency text NOT NULL,
      subject text,
      reason text NOT NULL,
      reference text,
      given_by text NOT NULL,
      valid_from timestamptz NOT NULL,
      valid_until timestamptz,
      CHECK (kind <> 'case' OR reference IS NOT NULL)
    )
    """,
    "CREATE INDEX record_need_record ON record_need (record_id)",
    """
    CREATE TABLE record_relation (
      record_id uuid NOT NULL REFERENCES record ON DELETE CASCADE,
      kind text NOT NULL CHECK (kind IN ('replies_to', 'attachment_of', 'revises', 'refers_to')),
      other_id uuid NOT NULL REFERENCES record,
      at timestamptz NOT NULL,
      PRIMARY KEY (record_id, kind, other_id),
      CHECK (record_id <> other_id)
    )
    """,
    """
    CREATE TABLE loan (
      id uuid PRIMARY KEY,
      record_id uuid NOT NULL REFERENCES record,
      borrower text NOT NULL,
      agency text NOT NULL,
      reason text NOT NULL,
      lent_at timestamptz NOT NULL,
      due_at timestamptz NOT NULL,
      returned_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX loan_open ON loan (record_id) WHERE returned_at IS NULL",
    """
    CREATE TABLE opening (
      id uuid PRIMARY KEY,
      at timestamptz NOT NULL,
      record_id uuid NOT NULL,
      subject text NOT NULL,
      agency text NOT NULL,
      security_class text NOT NULL,
      grounds text NOT NULL,
      what text NOT NULL
    )
    """,
    "CREATE INDEX opening_record ON opening (record_id, id)",
)

# Who the transaction reads for. Unset settings see nothing at all.
SEEN = """
  (SELECT current_setting('archive.rank', true)) = 'worker'
  OR (security_class = 'biasa' AND state = 'declared'
      AND (SELECT current_setting('archive.rank', true)) <> '')
  OR (subject = (SELECT current_setting('archive.subject', true)) AND subject <> ''
      AND (SELECT current_setting('archive.rank', true)) IN ('system', 'policy_maker', 'head')
      AND agency = (SELECT current_setting('archive.agency', true)))
  OR (subject = (SELECT current_setting('archive.subject', true)) AND subject <> ''
      AND security_class IN ('biasa', 'terbatas')
      AND agency = (SELECT current_setting('archive.agency', true)))
  OR ((SELECT current_setting('archive.rank', true)) = 'operator'
      AND security_class IN ('biasa', 'terbatas'))
  OR (SELECT current_setting('archive.rank', true)) = 'policy_maker' AND state = 'declared'
  OR (SELECT current_setting('archive.assigned', true)) = 'yes' AND state = 'declared'
  OR (agency = (SELECT current_setting('archive.agency', true)) AND (
      (SELECT current_setting('archive.archivist', true)) = 'yes'
      OR security_class = 'biasa'
      OR ((SELECT current_setting('archive.rank', true)) = 'head'
          AND security_class <> 'sangat_rahasia')
      OR ((SELECT current_setting('archive.rank', true)) = 'system'
          AND security_class = 'terbatas')
      OR ((SELECT current_setting('archive.rank', true)) = 'administrator'
          AND security_class = 'terbatas'
          AND unit = (SELECT current_setting('archive.unit', true)))))
  OR (state = 'declared' AND security_class <> 'biasa' AND EXISTS (
      SELECT 1 FROM record_need n WHERE n.record_id = record.id
      AND n.agency = (SELECT current_setting('archive.agency', true))
      AND (n.subject IS NULL OR n.subject = (SELECT current_setting('archive.subject', true)))
      AND n.valid_from <= (SELECT current_setting('archive.now', true))::timestamptz
      AND (n.valid_until IS NULL
           OR n.valid_until > (SELECT current_setting('archive.now', true))::timestamptz)
      AND CASE (SELECT current_setting('archive.rank', true))
        WHEN 'external' THEN n.kind = 'case'
        WHEN 'system' THEN security_class IN ('terbatas', 'rahasia')
        WHEN 'head' THEN security_class <> 'sangat_rahasia' OR (n.kind = 'addressee'
             AND record.agency = (SELECT current_setting('archive.agency', true)))
        WHEN 'administrator' THEN security_class IN ('terbatas', 'rahasia')
        ELSE security_class = 'terbatas' END))
"""

POLICIES = (
    "ALTER TABLE record ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE record FORCE ROW LEVEL SECURITY",
    f"""
    CREATE POLICY record_seen ON record USING ({SEEN}) WITH CHECK (
      (SELECT current_setting('archive.rank', true)) = 'worker'
      OR agency = (SELECT current_setting('archive.agency', true)))
    """,
    "ALTER TABLE record_retention ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE record_retention FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY retention_seen ON record_retention
    USING (EXISTS (SELECT 1 FROM record r WHERE r.id = record_id))
    """,
)


def upgrade() -> None:
    for statement in (*TABLES, *POLICIES):
        op.execute(statement)
