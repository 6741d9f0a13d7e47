"""Role grants, businesses and who represents them; the reasons of what ended early."""

from alembic import op

revision = "0008"
down_revision = "0007"

PERIOD = "tstzrange(valid_from, valid_until)"

REASONS = tuple(
    f"ALTER TABLE {table} ADD COLUMN end_reason text"
    for table in ("posting", "delegation", "position", "civil_servant")
)

ROLES = (
    f"""
    CREATE TABLE role_grant (
      id uuid PRIMARY KEY,
      person_id uuid NOT NULL REFERENCES person,
      role text NOT NULL,
      agency text REFERENCES agency (slug),
      decree text NOT NULL,
      state text NOT NULL CHECK (state IN ('requested', 'active', 'refused', 'revoked')),
      reason text,
      valid_from timestamptz NOT NULL,
      valid_until timestamptz CHECK (valid_until > valid_from),
      asked_by text NOT NULL CHECK (asked_by <> person_id::text),
      decided_by text CHECK (state <> 'active' OR decided_by <> asked_by),
      recorded_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL,
      CONSTRAINT role_grant_once EXCLUDE USING gist (
        person_id WITH =, role WITH =, (coalesce(agency, '')) WITH =, {PERIOD} WITH &&
      ) WHERE (state IN ('requested', 'active'))
    )
    """,
    "CREATE INDEX role_grant_person ON role_grant (person_id, valid_from)",
)

BUSINESSES = (
    """
    CREATE TABLE business (
      id uuid PRIMARY KEY,
      name text NOT NULL CHECK (name <> ''),
      nib_sealed bytea NOT NULL,
      nib_index bytea NOT NULL UNIQUE CHECK (octet_length(nib_index) = 32),
      nib_key text NOT NULL,
      state text NOT NULL CHECK (state IN ('active', 'closed')),
      reason text,
      registered_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL
    )
    """,
    f"""
    CREATE TABLE representation (
      id uuid PRIMARY KEY,
      business_id uuid NOT NULL REFERENCES business,
      person_id uuid NOT NULL REFERENCES person,
      capacity text NOT NULL,
      document text NOT NULL,
      valid_from timestamptz NOT NULL,
      valid_until timestamptz CHECK (valid_until >= valid_from),
      end_reason text,
      recorded_at timestamptz NOT NULL,
      CONSTRAINT representation_once
        EXCLUDE USING gist (business_id WITH =, person_id WITH =, {PERIOD} WITH &&)
    )
    """,
    "CREATE INDEX representation_person ON representation (person_id, valid_from)",
    "CREATE INDEX representation_business ON representation (business_id, id)",
)


def upgrade() -> None:
    for statement in (*REASONS, *ROLES, *BUSINESSES):
        op.execute(statement)
