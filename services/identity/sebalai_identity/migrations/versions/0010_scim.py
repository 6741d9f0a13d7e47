"""What agencies' HR systems keep by SCIM: users, groups, members."""

from alembic import op

revision = "0010"
down_revision = "0009"

SCIM = (
    """
    CREATE TABLE scim_user (
      person_id uuid PRIMARY KEY REFERENCES person,
      agency text NOT NULL REFERENCES agency (slug),
      user_name text NOT NULL CHECK (user_name <> ''),
      external_id text,
      attributes jsonb NOT NULL,
      version integer NOT NULL CHECK (version > 0),
      created_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX scim_user_name ON scim_user (agency, lower(user_name))",
    "CREATE INDEX scim_user_page ON scim_user (agency, person_id)",
    """
    CREATE TABLE scim_group (
      id uuid PRIMARY KEY,
      agency text NOT NULL REFERENCES agency (slug),
      display_name text NOT NULL CHECK (display_name <> ''),
      external_id text,
      version integer NOT NULL CHECK (version > 0),
      created_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX scim_group_page ON scim_group (agency, id)",
    """
    CREATE TABLE scim_member (
      group_id uuid NOT NULL REFERENCES scim_group,
      person_id uuid NOT NULL REFERENCES scim_user,
      PRIMARY KEY (group_id, person_id)
    )
    """,
    "CREATE INDEX scim_member_person ON scim_member (person_id)",
)


def upgrade() -> None:
    for statement in SCIM:
        op.execute(statement)
