"""Persons with a sealed NIK, and the audit trail of identity."""

from alembic import op

revision = "0005"
down_revision = "0004"

PERSONS = (
    """
    CREATE TABLE person (
      id uuid PRIMARY KEY,
      name text NOT NULL CHECK (name <> ''),
      nik_sealed bytea,
      nik_index bytea UNIQUE CHECK (octet_length(nik_index) = 32),
      nik_key text,
      birth_date date,
      assurance smallint NOT NULL CHECK (assurance BETWEEN 1 AND 3),
      source text NOT NULL,
      state text NOT NULL CHECK (state IN ('active', 'deactivated')),
      reason text,
      valid_until timestamptz,
      version integer NOT NULL CHECK (version > 0),
      created_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL,
      CHECK ((nik_sealed IS NULL) = (nik_index IS NULL)),
      CHECK ((nik_sealed IS NULL) = (nik_key IS NULL)),
      CHECK (nik_index IS NOT NULL OR valid_until IS NOT NULL)
    )
    """,
)

ACTS = (
    """
    CREATE TABLE act (
      id uuid PRIMARY KEY,
      at timestamptz NOT NULL,
      actor_kind text NOT NULL,
      actor text NOT NULL,
      agency text,
      act text NOT NULL,
      subject text NOT NULL,
      event_id uuid
    )
    """,
    "CREATE INDEX act_actor ON act (actor, id)",
    "CREATE INDEX act_subject ON act (subject, id)",
    """
    CREATE FUNCTION keep_acts() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$
    """,
    """
    CREATE TRIGGER act_kept BEFORE UPDATE OR DELETE ON act
    FOR EACH ROW EXECUTE FUNCTION keep_acts()
    """,
)


def upgrade() -> None:
    for statement in (*PERSONS, *ACTS):
        op.execute(statement)
