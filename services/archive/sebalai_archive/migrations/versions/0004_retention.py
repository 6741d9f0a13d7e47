"""Versions of retention rules, what happened to a record's retention, legal holds."""

from alembic import op

revision = "0004"
down_revision = "0003"

FATE = "text CHECK ({0} IN ('musnah', 'permanen', 'dinilai_kembali'))"

STATEMENTS = (
    """
    ALTER TABLE retention_rule
      ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version > 0),
      ADD COLUMN valid_from date NOT NULL DEFAULT '1945-08-17',
      ADD COLUMN trigger_kind text NOT NULL DEFAULT 'setelah_berkas_ditutup',
      ADD COLUMN offset_months integer NOT NULL DEFAULT 0 CHECK (offset_months BETWEEN 0 AND 1200),
      ADD COLUMN legal_basis text,
      ADD COLUMN applied_at timestamptz DEFAULT now(),
      DROP CONSTRAINT retention_rule_pkey,
      DROP CONSTRAINT retention_rule_path_key,
      ADD PRIMARY KEY (classification_code, version),
      ADD UNIQUE (path, version)
    """,
    "CREATE INDEX retention_rule_unapplied ON retention_rule (valid_from) WHERE applied_at IS NULL",
    f"""
    ALTER TABLE record_retention
      ADD COLUMN rule_version integer,
      ADD COLUMN offset_months integer NOT NULL DEFAULT 0,
      ADD COLUMN exception text,
      ADD COLUMN weighed {FATE.format("weighed")}
    """,
    "UPDATE record_retention SET rule_version = 1 WHERE rule_code IS NOT NULL",
    "CREATE INDEX record_retention_due ON record_retention (inactive_until, record_id)",
    "CREATE INDEX record_retention_inactive ON record_retention (active_until, record_id)",
    """
    CREATE TABLE retention_event (
      id uuid PRIMARY KEY,
      record_id uuid NOT NULL REFERENCES record,
      at timestamptz NOT NULL,
      by text NOT NULL,
      kind text NOT NULL CHECK (kind IN ('trigger_set', 'rule_changed', 'weighed')),
      reason text NOT NULL,
      old jsonb NOT NULL,
      new jsonb NOT NULL
    )
    """,
    "CREATE INDEX retention_event_record ON retention_event (record_id, id)",
    """
    CREATE TABLE legal_hold (
      id uuid PRIMARY KEY,
      agency text NOT NULL,
      reason text NOT NULL,
      reference text NOT NULL,
      placed_by text NOT NULL,
      placed_at timestamptz NOT NULL,
      released_at timestamptz,
      released_by text,
      release_reason text,
      CHECK (num_nulls(released_at, released_by, release_reason) IN (0, 3))
    )
    """,
    """
    CREATE TABLE legal_hold_record (
      hold_id uuid NOT NULL REFERENCES legal_hold,
      record_id uuid NOT NULL REFERENCES record,
      PRIMARY KEY (record_id, hold_id)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
