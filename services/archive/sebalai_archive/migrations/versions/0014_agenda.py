"""An agenda's number in one statement: taken and issued at once, so the series is held no longer
than the commit takes.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

TAKE = """
    CREATE FUNCTION take_agenda_number(
      number_id uuid, of_agency text, of_book text, of_year integer, letter uuid,
      at timestamptz, actor text
    ) RETURNS integer LANGUAGE plpgsql AS $$
    DECLARE taken integer;
    BEGIN
      INSERT INTO number_series AS s (agency, book, year, last)
      VALUES (of_agency, of_book, of_year, 1)
      ON CONFLICT (agency, book, year) DO UPDATE SET last = s.last + 1
      RETURNING last INTO taken;
      INSERT INTO number (id, agency, book, year, n, state, letter_id, text,
        reserved_at, reserved_by, settled_at, settled_by)
      VALUES (number_id, of_agency, of_book, of_year, taken, 'issued', letter,
        taken || '/' || of_year, at, actor, at, actor);
      RETURN taken;
    END $$
"""


def upgrade() -> None:
    op.execute(TAKE)
