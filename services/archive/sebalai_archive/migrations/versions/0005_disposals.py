"""Proposals, disposals with their frozen lists, acts, witnesses; custody, tombstones."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """
    CREATE TABLE proposal (
      record_id uuid PRIMARY KEY REFERENCES record,
      agency text NOT NULL,
      act text NOT NULL CHECK (act IN ('transfer', 'destroy', 'hand_over', 'appraise')),
      approver text,
      reasons text[] NOT NULL,
      proposed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX proposal_agency ON proposal (agency, record_id)",
    """
    CREATE TABLE disposal (
      id uuid PRIMARY KEY,
      agency text NOT NULL,
      kind text NOT NULL CHECK (kind IN ('transfer', 'destruction', 'handover')),
      state text NOT NULL,
      proposer text NOT NULL,
      reviewer text NOT NULL,
      approver text NOT NULL,
      executor text NOT NULL,
      witness_legal text NOT NULL,
      witness_supervision text NOT NULL,
      authority text CHECK (authority IN ('anri_head', 'governor', 'archive_head')),
      list_root text CHECK (list_root ~ '^[0-9a-f]{64}$'),
      created_at timestamptz NOT NULL,
      executed_at timestamptz,
      withdrawn_reason text,
      CHECK (proposer <> ALL (ARRAY[reviewer, approver, executor, witness_legal, witness_supervision])),
      CHECK (reviewer <> ALL (ARRAY[approver, executor, witness_legal, witness_supervision])),
      CHECK (approver <> ALL (ARRAY[executor, witness_legal, witness_supervision])),
      CHECK (executor <> ALL (ARRAY[witness_legal, witness_supervision])),
      CHECK (witness_legal <> witness_supervision)
    )
    """,
    """
    CREATE TABLE disposal_item (
      disposal_id uuid NOT NULL REFERENCES disposal,
      position integer NOT NULL,
      record_id uuid NOT NULL REFERENCES record,
      line text NOT NULL,
      total_years integer NOT NULL,
      is_open boolean NOT NULL DEFAULT true,
      PRIMARY KEY (disposal_id, position),
      UNIQUE (disposal_id, record_id)
    )
    """,
    "CREATE UNIQUE INDEX disposal_item_once ON disposal_item (record_id) WHERE is_open",
    """
    CREATE TABLE disposal_act (
      disposal_id uuid NOT NULL REFERENCES disposal,
      step text NOT NULL,
      by text NOT NULL,
      at timestamptz NOT NULL,
      evidence jsonb NOT NULL,
      PRIMARY KEY (disposal_id, step)
    )
    """,
    """
    CREATE TABLE custody (
      record_id uuid PRIMARY KEY REFERENCES record,
      place text NOT NULL CHECK (place IN ('agency_centre', 'province_centre', 'archive_institution')),
      since timestamptz NOT NULL,
      disposal_id uuid NOT NULL REFERENCES disposal
    )
    """,
    """
    CREATE TABLE tombstone (
      record_id uuid PRIMARY KEY REFERENCES record,
      disposal_id uuid NOT NULL REFERENCES disposal,
      at timestamptz NOT NULL,
      sha256 text NOT NULL,
      erased_at timestamptz,
      proof jsonb
    )
    """,
    "CREATE INDEX tombstone_unerased ON tombstone (record_id) WHERE erased_at IS NULL",
    """
    CREATE FUNCTION keep_frozen_list() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND (OLD.disposal_id, OLD.position, OLD.record_id, OLD.line, OLD.total_years)
          = (NEW.disposal_id, NEW.position, NEW.record_id, NEW.line, NEW.total_years) THEN
        RETURN NEW;
      END IF;
      PERFORM 1 FROM disposal WHERE list_root IS NOT NULL
        AND id = CASE WHEN TG_OP = 'INSERT' THEN NEW.disposal_id ELSE OLD.disposal_id END;
      IF FOUND THEN
        RAISE EXCEPTION 'the list of this disposal is frozen' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END $$
    """,
    """
    CREATE TRIGGER disposal_list_frozen BEFORE INSERT OR UPDATE OR DELETE ON disposal_item
    FOR EACH ROW EXECUTE FUNCTION keep_frozen_list()
    """,
    """
    CREATE FUNCTION keep_disposal_root() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.list_root IS NOT NULL AND NEW.list_root IS DISTINCT FROM OLD.list_root THEN
        RAISE EXCEPTION 'a frozen list keeps its root' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER disposal_root_kept BEFORE UPDATE ON disposal
    FOR EACH ROW EXECUTE FUNCTION keep_disposal_root()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
