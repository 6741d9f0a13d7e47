"""Outgoing letters and every act on them."""

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = (
    """
    CREATE TABLE outgoing_letter (
      id uuid PRIMARY KEY,
      agency text NOT NULL,
      letter_type text NOT NULL REFERENCES letter_type,
      classification_code text NOT NULL REFERENCES classification,
      security_class text NOT NULL CHECK (security_class IN
        ('biasa', 'terbatas', 'rahasia', 'sangat_rahasia')),
      urgency text NOT NULL CHECK (urgency IN ('biasa', 'segera', 'sangat_segera')),
      subject text NOT NULL,
      unit text NOT NULL,
      place text NOT NULL,
      addressees jsonb NOT NULL,
      copies jsonb NOT NULL,
      paragraphs jsonb NOT NULL,
      verifiers jsonb NOT NULL,
      signer jsonb NOT NULL,
      drafter text NOT NULL,
      state text NOT NULL CHECK (state IN
        ('draft', 'submitted', 'verified', 'numbered', 'signed', 'sent', 'cancelled')),
      verified integer NOT NULL DEFAULT 0,
      created_at timestamptz NOT NULL,
      letter_date date,
      number_text text,
      verification_code text UNIQUE,
      content_sha256 text CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
      record_id uuid,
      event_id uuid,
      certificate_serial text,
      CHECK (num_nulls(letter_date, number_text, verification_code) IN (0, 3)),
      CHECK (num_nulls(content_sha256, record_id, event_id, certificate_serial) IN (0, 4)),
      CHECK (state NOT IN ('numbered', 'signed', 'sent') OR number_text IS NOT NULL),
      CHECK ((state IN ('signed', 'sent')) = (record_id IS NOT NULL))
    )
    """,
    "CREATE INDEX outgoing_letter_agency ON outgoing_letter (agency, id)",
    """
    CREATE TABLE outgoing_act (
      letter_id uuid NOT NULL REFERENCES outgoing_letter,
      place integer NOT NULL,
      act text NOT NULL,
      actor text NOT NULL,
      note text,
      at timestamptz NOT NULL,
      PRIMARY KEY (letter_id, place)
    )
    """,
)

GUARD = (
    """
    CREATE FUNCTION keep_letter() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'letters are cancelled, never removed' USING ERRCODE = 'restrict_violation';
      END IF;
      IF OLD.state IN ('sent', 'cancelled') OR (OLD.state = 'signed' AND NEW.state <> 'sent') THEN
        RAISE EXCEPTION 'letter % is %: it does not change', OLD.id, OLD.state
          USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER outgoing_letter_kept BEFORE UPDATE OR DELETE ON outgoing_letter
    FOR EACH ROW EXECUTE FUNCTION keep_letter()
    """,
    """
    CREATE FUNCTION keep_act() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'what was done stays written' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER outgoing_act_kept BEFORE UPDATE OR DELETE ON outgoing_act
    FOR EACH ROW EXECUTE FUNCTION keep_act()
    """,
)


def upgrade() -> None:
    for statement in (*TABLES, *GUARD):
        op.execute(statement)
