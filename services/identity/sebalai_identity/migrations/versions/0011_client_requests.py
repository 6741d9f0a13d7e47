"""Requests for a client, decided by another than who asked; earlier names of agencies."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    """
    CREATE TABLE client_request (
      id uuid PRIMARY KEY,
      agency text NOT NULL REFERENCES agency (slug),
      name text NOT NULL,
      wanted jsonb NOT NULL,
      state text NOT NULL CHECK (state IN ('requested', 'approved', 'refused')),
      reason text,
      asked_by text NOT NULL,
      decided_by text CHECK (decided_by <> asked_by),
      application_id uuid REFERENCES application,
      requested_at timestamptz NOT NULL,
      decided_at timestamptz,
      CHECK ((state = 'requested') = (decided_by IS NULL)),
      CHECK ((state = 'approved') = (application_id IS NOT NULL))
    )
    """,
    """
    CREATE UNIQUE INDEX client_request_waiting ON client_request (agency, name)
    WHERE state = 'requested'
    """,
    """
    CREATE TABLE agency_name (
      id uuid PRIMARY KEY,
      agency text NOT NULL REFERENCES agency (slug),
      name text NOT NULL,
      short_name text NOT NULL,
      until date NOT NULL,
      decree text NOT NULL
    )
    """,
    "CREATE INDEX agency_name_agency ON agency_name (agency, until)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
