"""Numbers of letters: templates, series, and a register with one row for every number."""

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = (
    """
    CREATE TABLE number_template (
      id uuid PRIMARY KEY,
      agency text NOT NULL,
      letter_type text NOT NULL REFERENCES letter_type,
      book text NOT NULL CHECK (book ~ '^[a-z0-9-]{1,40}$'),
      pattern text NOT NULL,
      valid_from date NOT NULL,
      created_at timestamptz NOT NULL,
      created_by text NOT NULL,
      UNIQUE (agency, letter_type, valid_from)
    )
    """,
    """
    CREATE TABLE number_series (
      agency text NOT NULL,
      book text NOT NULL,
      year integer NOT NULL CHECK (year BETWEEN 1945 AND 9999),
      last integer NOT NULL CHECK (last >= 0),
      PRIMARY KEY (agency, book, year)
    )
    """,
    """
    CREATE TABLE number (
      id uuid PRIMARY KEY,
      agency text NOT NULL,
      book text NOT NULL,
      year integer NOT NULL,
      n integer NOT NULL CHECK (n > 0),
      state text NOT NULL CHECK (state IN ('reserved', 'issued', 'void')),
      letter_id uuid UNIQUE,
      block_id uuid,
      text text,
      reason text CHECK (length(reason) BETWEEN 1 AND 500),
      reserved_at timestamptz NOT NULL,
      reserved_by text NOT NULL,
      settled_at timestamptz,
      settled_by text,
      UNIQUE (agency, book, year, n),
      FOREIGN KEY (agency, book, year) REFERENCES number_series,
      CHECK (letter_id IS NOT NULL OR block_id IS NOT NULL),
      CHECK ((state = 'reserved') = (settled_at IS NULL)),
      CHECK (num_nulls(settled_at, settled_by) IN (0, 2)),
      CHECK (state <> 'issued' OR (letter_id IS NOT NULL AND text IS NOT NULL)),
      CHECK ((state = 'void') <= (reason IS NOT NULL))
    )
    """,
    "CREATE INDEX number_block ON number (block_id, n) WHERE block_id IS NOT NULL",
)

# One statement from the client: the counter's row is held for one round trip and its commit.
TAKE = """
    CREATE FUNCTION take_numbers(
      of_agency text, of_book text, of_year integer, ids uuid[], letter uuid, block uuid,
      at timestamptz, actor text
    ) RETURNS integer LANGUAGE plpgsql AS $$
    DECLARE upto integer;
    BEGIN
      INSERT INTO number_series AS s (agency, book, year, last)
      VALUES (of_agency, of_book, of_year, cardinality(ids))
      ON CONFLICT (agency, book, year) DO UPDATE SET last = s.last + cardinality(ids)
      RETURNING last INTO upto;
      INSERT INTO number (id, agency, book, year, n, state, letter_id, block_id, reserved_at, reserved_by)
      SELECT id, of_agency, of_book, of_year, upto - cardinality(ids) + place, 'reserved', letter, block, at, actor
      FROM unnest(ids) WITH ORDINALITY AS taken (id, place);
      RETURN upto - cardinality(ids) + 1;
    END $$
"""

# A number is never forgotten, and what was settled stays settled.
GUARD = (
    """
    CREATE FUNCTION keep_number() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'a number of the register is never removed' USING ERRCODE = 'restrict_violation';
      END IF;
      IF OLD.state <> 'reserved' OR (NEW.id, NEW.agency, NEW.book, NEW.year, NEW.n) IS DISTINCT FROM
         (OLD.id, OLD.agency, OLD.book, OLD.year, OLD.n) OR
         (OLD.letter_id IS NOT NULL AND NEW.letter_id IS DISTINCT FROM OLD.letter_id) THEN
        RAISE EXCEPTION 'number % is settled: it does not change', OLD.id USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER number_kept BEFORE UPDATE OR DELETE ON number
    FOR EACH ROW EXECUTE FUNCTION keep_number()
    """,
    """
    CREATE TRIGGER number_not_truncated BEFORE TRUNCATE ON number
    FOR EACH STATEMENT EXECUTE FUNCTION keep_number()
    """,
    """
    CREATE FUNCTION keep_series() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'UPDATE' OR NEW.last < OLD.last THEN
        RAISE EXCEPTION 'a series only counts upwards' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER number_series_kept BEFORE UPDATE OR DELETE ON number_series
    FOR EACH ROW EXECUTE FUNCTION keep_series()
    """,
)


def upgrade() -> None:
    for statement in (*TABLES, TAKE, *GUARD):
        op.execute(statement)
