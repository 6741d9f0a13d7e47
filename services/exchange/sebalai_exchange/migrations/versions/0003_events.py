"""Event types, the event store, subscriptions and what became of each delivery."""

from alembic import op

revision = "0003"
down_revision = "0002"

TOPICS = (
    """
    CREATE TABLE topic (
      type text PRIMARY KEY,
      owner text NOT NULL,
      application text,
      interface text,
      title text NOT NULL,
      description text NOT NULL,
      access text NOT NULL CHECK (access IN ('open', 'party', 'agreement', 'operator')),
      data_categories text[] NOT NULL,
      retention_days integer NOT NULL CHECK (retention_days IN (30, 365, 3650)),
      state text NOT NULL CHECK (state IN ('active', 'deprecated', 'retired')),
      retires_at timestamptz,
      successor text,
      created_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL,
      CHECK (access <> 'agreement' OR interface IS NOT NULL)
    )
    """,
    "CREATE INDEX topic_owner ON topic (owner, type)",
    """
    CREATE TABLE topic_version (
      type text NOT NULL REFERENCES topic,
      minor integer NOT NULL CHECK (minor >= 0),
      schema text NOT NULL,
      schema_sha256 text NOT NULL,
      examples jsonb NOT NULL,
      published_by text NOT NULL,
      published_at timestamptz NOT NULL,
      PRIMARY KEY (type, minor)
    )
    """,
)

_EVENT_COLUMNS = """
      event_id uuid NOT NULL,
      source text NOT NULL,
      id text NOT NULL,
      type text NOT NULL,
      key text,
      publisher text NOT NULL,
      parties text[] NOT NULL,
      retention_days integer NOT NULL,
      document text NOT NULL,
      stored_at timestamptz NOT NULL
"""

# An event is accepted into event_new and moved to event by one sequencer, which gives it its
# position: rows taken are rows gone, so one that commits late is found later and never skipped.
EVENTS = (
    """
    CREATE TABLE event_seen (
      source text NOT NULL,
      id text NOT NULL,
      digest bytea NOT NULL CHECK (length(digest) = 32),
      event_id uuid NOT NULL,
      stored_at timestamptz NOT NULL,
      PRIMARY KEY (source, id)
    )
    """,
    "CREATE INDEX event_seen_stored_at ON event_seen (stored_at)",
    f"CREATE TABLE event_new (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {_EVENT_COLUMNS})",
    f"CREATE TABLE event (pos bigint NOT NULL, {_EVENT_COLUMNS}) PARTITION BY LIST (retention_days)",
    "CREATE INDEX event_pos ON event (pos)",
    "CREATE INDEX event_event_id ON event (event_id)",
    "CREATE INDEX event_type ON event (type, pos)",
    "CREATE TABLE event_30 PARTITION OF event FOR VALUES IN (30) PARTITION BY RANGE (stored_at)",
    "CREATE TABLE event_365 PARTITION OF event FOR VALUES IN (365) PARTITION BY RANGE (stored_at)",
    "CREATE TABLE event_3650 PARTITION OF event FOR VALUES IN (3650) PARTITION BY RANGE (stored_at)",
    "CREATE TABLE event_30_rest PARTITION OF event_30 DEFAULT",
    "CREATE TABLE event_365_rest PARTITION OF event_365 DEFAULT",
    "CREATE TABLE event_3650_rest PARTITION OF event_3650 DEFAULT",
    "CREATE TABLE event_head (is_sole boolean PRIMARY KEY DEFAULT true CHECK (is_sole), pos bigint NOT NULL)",
    "INSERT INTO event_head (pos) VALUES (0)",
    """
    CREATE FUNCTION ring_event_new() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('event_new', ''); RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER event_new_bell AFTER INSERT ON event_new
    FOR EACH STATEMENT EXECUTE FUNCTION ring_event_new()
    """,
)

SUBSCRIPTIONS = (
    """
    CREATE TABLE subscription (
      id uuid PRIMARY KEY,
      subscriber text NOT NULL,
      agency text NOT NULL,
      title text NOT NULL,
      types text[] NOT NULL CHECK (cardinality(types) BETWEEN 1 AND 50),
      filters jsonb NOT NULL,
      purpose text,
      kind text NOT NULL CHECK (kind IN ('webhook', 'pull', 'sse')),
      url text,
      ordering text NOT NULL CHECK (ordering IN ('per_key', 'none')),
      state text NOT NULL CHECK (state IN ('verifying', 'active', 'paused', 'disabled', 'ended')),
      reason text,
      is_operators boolean NOT NULL,
      secret_generation integer NOT NULL DEFAULT 1,
      previous_until timestamptz,
      created_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL,
      CHECK ((kind = 'webhook') = (url IS NOT NULL))
    )
    """,
    "CREATE INDEX subscription_subscriber ON subscription (subscriber, id)",
    # Moves with every delivery: a narrow table of its own, updated in place.
    """
    CREATE TABLE lane (
      subscription uuid PRIMARY KEY REFERENCES subscription,
      pos bigint NOT NULL,
      failures integer NOT NULL DEFAULT 0,
      open_until timestamptz,
      open_since timestamptz,
      delivered_at timestamptz
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE FUNCTION ring_subscription() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('subscriptions', ''); RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER subscription_bell AFTER INSERT OR UPDATE OR DELETE ON subscription
    FOR EACH STATEMENT EXECUTE FUNCTION ring_subscription()
    """,
)

DELIVERIES = (
    # What is not yet done, and only that.
    """
    CREATE TABLE delivery (
      subscription uuid NOT NULL REFERENCES subscription,
      pos bigint NOT NULL,
      event_id uuid NOT NULL,
      key text,
      state text NOT NULL CHECK (state IN ('waiting', 'held', 'leased', 'dead')),
      attempts integer NOT NULL,
      refusals integer NOT NULL DEFAULT 0,
      first_at timestamptz NOT NULL,
      next_at timestamptz,
      lease uuid,
      reason text,
      is_replay boolean NOT NULL DEFAULT false,
      PRIMARY KEY (subscription, pos)
    )
    """,
    "CREATE INDEX delivery_event ON delivery (event_id)",
    "CREATE INDEX delivery_state ON delivery (subscription, state, pos)",
    # Each try, without payload.
    """
    CREATE TABLE attempt (
      subscription uuid NOT NULL,
      pos bigint NOT NULL,
      event_id uuid NOT NULL,
      number integer NOT NULL,
      outcome text NOT NULL CHECK (outcome IN ('delivered', 'failed', 'skipped')),
      status integer,
      reason text,
      milliseconds integer NOT NULL,
      at timestamptz NOT NULL
    ) PARTITION BY RANGE (at)
    """,
    "CREATE INDEX attempt_subscription ON attempt (subscription, pos)",
    "CREATE INDEX attempt_event ON attempt (event_id)",
    "CREATE TABLE attempt_rest PARTITION OF attempt DEFAULT",
)


def upgrade() -> None:
    for statement in (*TOPICS, *EVENTS, *SUBSCRIPTIONS, *DELIVERIES):
        op.execute(statement)
