"""Outside OpenID Providers, the identities people linked there, and sign-ins under way."""

from alembic import op

revision = "0014"
down_revision = "0013"

SLOTS = range(4)

STATEMENTS = (
    """
    CREATE TABLE outside_provider (
      id uuid PRIMARY KEY,
      slug text NOT NULL,
      issuer text NOT NULL,
      settings jsonb NOT NULL,
      state text NOT NULL
        CHECK (state IN ('requested', 'enabled', 'refused', 'replaced', 'disabled')),
      reason text,
      asked_by text NOT NULL,
      asked_by_system_of text REFERENCES agency (slug),
      decided_by text CHECK (decided_by <> asked_by),
      requested_at timestamptz NOT NULL,
      decided_at timestamptz,
      CHECK ((state = 'requested') = (decided_by IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX outside_provider_waiting ON outside_provider (slug) WHERE state = 'requested'",
    "CREATE UNIQUE INDEX outside_provider_enabled ON outside_provider (slug) WHERE state = 'enabled'",
    # Identities are kept by issuer: two providers of one issuer would share them.
    "CREATE UNIQUE INDEX outside_provider_issuer ON outside_provider (issuer) WHERE state = 'enabled'",
    """
    CREATE TABLE outside_identity (
      id uuid PRIMARY KEY,
      issuer text NOT NULL,
      subject_index bytea NOT NULL,
      person_id uuid NOT NULL REFERENCES person,
      linked_at timestamptz NOT NULL,
      used_at timestamptz,
      UNIQUE (issuer, subject_index),
      UNIQUE (issuer, person_id)
    )
    """,
    "CREATE INDEX outside_identity_person ON outside_identity (person_id)",
    """
    CREATE TABLE outside_attempt (
      slot smallint NOT NULL,
      digest bytea NOT NULL,
      browser bytea NOT NULL,
      provider_id uuid NOT NULL,
      person_id uuid,
      interaction bytea,
      max_age integer NOT NULL,
      expires_at timestamptz NOT NULL,
      used_at timestamptz,
      PRIMARY KEY (slot, digest)
    ) PARTITION BY LIST (slot)
    """,
    "CREATE INDEX outside_attempt_digest ON outside_attempt (digest)",
    """
    CREATE TABLE outside_proof (
      slot smallint NOT NULL,
      digest bytea NOT NULL,
      provider_id uuid NOT NULL,
      issuer text NOT NULL,
      subject_index bytea NOT NULL,
      has_nik boolean NOT NULL,
      nik_person uuid,
      person_id uuid,
      expires_at timestamptz NOT NULL,
      used_at timestamptz,
      PRIMARY KEY (slot, digest)
    ) PARTITION BY LIST (slot)
    """,
    "CREATE INDEX outside_proof_digest ON outside_proof (digest)",
    *(
        f"CREATE TABLE {table}_{slot} PARTITION OF {table} FOR VALUES IN ({slot})"
        for table in ("outside_attempt", "outside_proof")
        for slot in SLOTS
    ),
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
