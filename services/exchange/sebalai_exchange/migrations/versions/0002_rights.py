"""Rights in full: either side asks, two approvals, versions, bindings, groups, changes by version."""

from alembic import op

revision = "0002"
down_revision = "0001"

AGREEMENTS = (
    # A group has six name parts and speaks through the application that owns it.
    """
    ALTER TABLE agreement
      ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
      ADD COLUMN series uuid,
      ADD COLUMN replaces uuid REFERENCES agreement,
      ADD COLUMN asking_side text NOT NULL DEFAULT 'consumer' CHECK (asking_side IN ('consumer', 'provider')),
      ADD COLUMN approvals jsonb NOT NULL DEFAULT '[]',
      ADD COLUMN quota_per_month bigint,
      ADD COLUMN min_assurance smallint NOT NULL DEFAULT 0 CHECK (min_assurance BETWEEN 0 AND 3),
      ADD COLUMN bound_addresses text[] NOT NULL DEFAULT '{}',
      ADD COLUMN bound_certificates text[] NOT NULL DEFAULT '{}',
      ADD COLUMN consumer_owner text GENERATED ALWAYS AS (split_part(consumer, '/', 1) || '/' || split_part(consumer, '/', 2) || '/' || split_part(consumer, '/', 3)) STORED,
      ADD COLUMN provider_owner text GENERATED ALWAYS AS (split_part(provider, '/', 1) || '/' || split_part(provider, '/', 2) || '/' || split_part(provider, '/', 3)) STORED,
      ADD COLUMN route_version bigint NOT NULL DEFAULT 1,
      DROP CONSTRAINT agreement_state_check,
      ADD CONSTRAINT agreement_state_check CHECK (state IN ('requested', 'granted', 'suspended', 'revoked', 'replaced'))
    """,
    "UPDATE agreement SET series = id",
    "ALTER TABLE agreement ALTER COLUMN series SET NOT NULL",
    "CREATE UNIQUE INDEX agreement_version ON agreement (series, version)",
    # One amendment under discussion at a time, and one version in force.
    "CREATE UNIQUE INDEX agreement_pending ON agreement (series) WHERE state = 'requested'",
    "CREATE UNIQUE INDEX agreement_in_force ON agreement (series) WHERE state IN ('granted', 'suspended')",
    "CREATE INDEX agreement_consumer_owner ON agreement (consumer_owner, id)",
    "CREATE INDEX agreement_provider_owner ON agreement (provider_owner, id)",
    "CREATE INDEX agreement_routed ON agreement (route_version)",
)

GROUPS = (
    """
    CREATE TABLE consumer_group (
      id uuid PRIMARY KEY,
      name text NOT NULL UNIQUE,
      owner text NOT NULL,
      title text NOT NULL,
      made_by text NOT NULL,
      made_at timestamptz NOT NULL,
      route_version bigint NOT NULL DEFAULT 1,
      CHECK (name LIKE owner || '/groups/%')
    )
    """,
    "CREATE INDEX consumer_group_routed ON consumer_group (route_version)",
    """
    CREATE TABLE group_member (
      group_id uuid NOT NULL REFERENCES consumer_group,
      application text NOT NULL,
      state text NOT NULL CHECK (state IN ('invited', 'joined')),
      invited_by text NOT NULL,
      invited_at timestamptz NOT NULL,
      joined_at timestamptz,
      PRIMARY KEY (group_id, application),
      CHECK ((state = 'joined') = (joined_at IS NOT NULL))
    )
    """,
    "CREATE INDEX group_member_application ON group_member (application)",
)

# Each changed row carries the version it changed in, so that a gateway asks only for what is newer.
# `whole_since`: what was deleted by hand leaves no row to tell of it; older gateways take all anew.
ROUTES = (
    "ALTER TABLE routes_version ADD COLUMN whole_since bigint NOT NULL DEFAULT 0",
    "ALTER TABLE interface ADD COLUMN route_version bigint NOT NULL DEFAULT 1",
    "CREATE INDEX interface_routed ON interface (route_version)",
    "DROP TRIGGER interface_routes ON interface",
    "DROP TRIGGER agreement_routes ON agreement",
    "DROP FUNCTION raise_routes_version",
    "DELETE FROM routes_snapshot",
    "UPDATE routes_version SET version = version + 1",
    """
    CREATE FUNCTION note_route_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE routes_version SET version = version + 1 RETURNING version INTO NEW.route_version;
      PERFORM pg_notify('routes', '');
      RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION note_route_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE routes_version SET version = version + 1, whole_since = version + 1;
      PERFORM pg_notify('routes', '');
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION note_member_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'INSERT' THEN
        UPDATE consumer_group SET route_version = 0 WHERE id = OLD.group_id;
      ELSE
        UPDATE consumer_group SET route_version = 0 WHERE id = NEW.group_id;
      END IF;
      RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER interface_route BEFORE INSERT OR UPDATE ON interface FOR EACH ROW EXECUTE FUNCTION note_route_change()",
    "CREATE TRIGGER agreement_route BEFORE UPDATE ON agreement FOR EACH ROW WHEN (OLD.state = 'granted' OR NEW.state = 'granted') EXECUTE FUNCTION note_route_change()",
    "CREATE TRIGGER agreement_route_new BEFORE INSERT ON agreement FOR EACH ROW WHEN (NEW.state = 'granted') EXECUTE FUNCTION note_route_change()",
    "CREATE TRIGGER group_route BEFORE INSERT OR UPDATE ON consumer_group FOR EACH ROW EXECUTE FUNCTION note_route_change()",
    "CREATE TRIGGER group_member_route AFTER INSERT OR UPDATE OR DELETE ON group_member FOR EACH ROW EXECUTE FUNCTION note_member_change()",
    *(
        f"CREATE TRIGGER {table}_gone AFTER DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION note_route_deletion()"
        for table in ("interface", "agreement", "consumer_group")
    ),
)


def upgrade() -> None:
    for statement in (*AGREEMENTS, *GROUPS, *ROUTES):
        op.execute(statement)
