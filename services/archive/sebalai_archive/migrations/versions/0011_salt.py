"""The salt of a destroyed record goes with its content; a numbered letter's text stays as it is.

Without the salt nobody can link the record's leaf in the ledger to what was declared, and every
proof of the ledger still holds. Nothing else of a declared record changes, and that only once.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

# PostgreSQL chose the name of 0001's check; it is the one that speaks of the salt and the state.
DECLARED_WHOLE = """
    DO $$
    DECLARE old text;
    BEGIN
      SELECT conname INTO STRICT old FROM pg_constraint
      WHERE conrelid = 'record'::regclass AND contype = 'c'
        AND pg_get_constraintdef(oid) LIKE '%num_nulls%declared_at%salt%';
      EXECUTE format('ALTER TABLE record DROP CONSTRAINT %I', old);
    END $$
"""

STATEMENTS = (
    DECLARED_WHOLE,
    """
    ALTER TABLE record ADD CONSTRAINT record_declared_whole CHECK (state = 'draft' OR
      num_nulls(content_sha256, declared_at, event_id, statement, commitment) = 0)
    """,
    """
    CREATE OR REPLACE FUNCTION keep_declared_record() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'records are not truncated' USING ERRCODE = 'restrict_violation';
      END IF;
      IF TG_OP = 'UPDATE' AND OLD.state = 'declared' AND OLD.salt IS NOT NULL AND NEW.salt IS NULL
         AND to_jsonb(NEW) - 'salt' = to_jsonb(OLD) - 'salt'
         AND EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = OLD.id) THEN
        RETURN NEW;
      END IF;
      IF OLD.state = 'declared' THEN
        RAISE EXCEPTION 'record % is declared: it does not change', OLD.id
          USING ERRCODE = 'restrict_violation';
      END IF;
      IF TG_OP = 'UPDATE' AND NEW.state = 'declared' AND NEW.salt IS NULL THEN
        RAISE EXCEPTION 'record % is declared without a salt', OLD.id
          USING ERRCODE = 'check_violation';
      END IF;
      RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END $$
    """,
    # Row security binds the owner too: as the archive's own worker it sees every record.
    "SELECT set_config('archive.rank', 'worker', true)",
    """
    UPDATE record SET salt = NULL WHERE id IN (SELECT record_id FROM tombstone)
    """,
    """
    CREATE OR REPLACE FUNCTION keep_letter() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'letters are cancelled, never removed' USING ERRCODE = 'restrict_violation';
      END IF;
      IF OLD.state IN ('sent', 'cancelled') OR
         (OLD.state = 'signed' AND to_jsonb(NEW) <> jsonb_set(to_jsonb(OLD), '{state}', '"sent"')) OR
         (OLD.state = 'numbered' AND
          (NEW.agency, NEW.letter_type, NEW.classification_code, NEW.security_class, NEW.urgency,
           NEW.subject, NEW.unit, NEW.place, NEW.addressees, NEW.copies, NEW.paragraphs, NEW.signer,
           NEW.letter_date, NEW.number_text, NEW.verification_code)
          IS DISTINCT FROM
          (OLD.agency, OLD.letter_type, OLD.classification_code, OLD.security_class, OLD.urgency,
           OLD.subject, OLD.unit, OLD.place, OLD.addressees, OLD.copies, OLD.paragraphs, OLD.signer,
           OLD.letter_date, OLD.number_text, OLD.verification_code)) THEN
        RAISE EXCEPTION 'letter % is %: it does not change', OLD.id, OLD.state
          USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
