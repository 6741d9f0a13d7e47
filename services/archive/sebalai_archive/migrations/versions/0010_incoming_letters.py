"""Incoming letters in their agenda, and the tree of dispositions."""

from alembic import op

revision = "0010"
down_revision = "0009"

TABLES = (
    "ALTER TABLE outgoing_letter ADD UNIQUE (id, agency), ADD COLUMN content_bytes bigint",
    """
    CREATE TABLE incoming_letter (
      id uuid PRIMARY KEY,
      agency text NOT NULL,
      agenda text,
      sender text NOT NULL,
      letter_number text,
      letter_date date,
      subject text NOT NULL,
      security_class text NOT NULL CHECK (security_class IN
        ('biasa', 'terbatas', 'rahasia', 'sangat_rahasia')),
      urgency text NOT NULL CHECK (urgency IN ('biasa', 'segera', 'sangat_segera')),
      channel text NOT NULL CHECK (channel IN ('paper', 'email', 'bus', 'srikandi')),
      addressed_to text,
      outgoing_id uuid REFERENCES outgoing_letter,
      record_id uuid,
      content_sha256 text CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
      content_bytes bigint,
      arrived_at timestamptz NOT NULL,
      registered_at timestamptz,
      registered_by text,
      UNIQUE (agency, outgoing_id),
      CHECK (num_nulls(agenda, addressed_to, registered_at, registered_by) IN (0, 4)),
      CHECK ((channel = 'bus') = (outgoing_id IS NOT NULL)),
      CHECK (num_nulls(content_sha256, content_bytes) IN (0, 2))
    )
    """,
    "CREATE INDEX incoming_letter_agency ON incoming_letter (agency, id)",
    """
    CREATE TABLE disposition (
      id uuid PRIMARY KEY,
      letter_id uuid NOT NULL REFERENCES incoming_letter,
      agency text NOT NULL,
      parent_id uuid REFERENCES disposition,
      sender text NOT NULL,
      on_behalf jsonb,
      recipient text NOT NULL,
      recipient_name text NOT NULL,
      instruction text NOT NULL,
      deadline date,
      state text NOT NULL CHECK (state IN ('unread', 'read', 'followed_up', 'done', 'cancelled')),
      outcome text,
      answer_id uuid,
      sent_at timestamptz NOT NULL,
      read_at timestamptz,
      ended_at timestamptz,
      FOREIGN KEY (answer_id, agency) REFERENCES outgoing_letter (id, agency),
      CHECK (sender <> recipient),
      CHECK ((state IN ('done', 'cancelled')) = (ended_at IS NOT NULL)),
      CHECK (state <> 'cancelled' OR read_at IS NULL)
    )
    """,
    "CREATE INDEX disposition_letter ON disposition (letter_id, recipient)",
    "CREATE INDEX disposition_recipient ON disposition (recipient, id)",
    """
    CREATE INDEX disposition_open ON disposition (agency, deadline)
    WHERE ended_at IS NULL AND deadline IS NOT NULL
    """,
)

GUARD = (
    """
    CREATE FUNCTION keep_disposition() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'UPDATE' OR OLD.ended_at IS NOT NULL OR
         (NEW.letter_id, NEW.parent_id, NEW.sender, NEW.recipient, NEW.instruction, NEW.on_behalf, NEW.sent_at)
         IS DISTINCT FROM
         (OLD.letter_id, OLD.parent_id, OLD.sender, OLD.recipient, OLD.instruction, OLD.on_behalf, OLD.sent_at) THEN
        RAISE EXCEPTION 'a disposition is followed or recalled, never rewritten'
          USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER disposition_kept BEFORE UPDATE OR DELETE ON disposition
    FOR EACH ROW EXECUTE FUNCTION keep_disposition()
    """,
)


def upgrade() -> None:
    for statement in (*TABLES, *GUARD):
        op.execute(statement)
