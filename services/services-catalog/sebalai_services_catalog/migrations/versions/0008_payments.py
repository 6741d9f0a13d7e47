"""Bills of requests and the money that came for them."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    """
    CREATE TABLE bill (
      id uuid PRIMARY KEY,
      request_id uuid NOT NULL UNIQUE REFERENCES service_request,
      code text NOT NULL UNIQUE CHECK (code ~ '^[0-9]{12}$'),
      agency text NOT NULL,
      service text NOT NULL,
      rupiah bigint NOT NULL CHECK (rupiah > 0),
      calculation text,
      state text NOT NULL CHECK (state IN ('open', 'paid', 'expired', 'cancelled')),
      account text,
      account_closed boolean NOT NULL DEFAULT false,
      billed_by text NOT NULL,
      opened_at timestamptz NOT NULL,
      pay_until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX bill_account_wanted ON bill (id) WHERE account IS NULL AND state = 'open'",
    """
    CREATE INDEX bill_account_ended ON bill (id)
    WHERE account IS NOT NULL AND NOT account_closed AND state <> 'open'
    """,
    """
    CREATE TABLE payment (
      id uuid PRIMARY KEY,
      bill_id uuid NOT NULL REFERENCES bill,
      agency text NOT NULL,
      via text NOT NULL CHECK (via IN ('gateway', 'counter')),
      reference text NOT NULL,
      rupiah bigint NOT NULL CHECK (rupiah > 0),
      state text NOT NULL CHECK (state IN ('kept', 'owed', 'refunded')),
      received_at timestamptz NOT NULL,
      recorded_by text NOT NULL,
      refund_slip text,
      refund_reason text,
      refunded_by text,
      refunded_at timestamptz,
      UNIQUE (via, agency, reference),
      CHECK ((state = 'refunded') = (refund_slip IS NOT NULL)),
      CHECK ((state = 'refunded') = (refunded_by IS NOT NULL))
    )
    """,
    "CREATE INDEX payment_bill ON payment (bill_id, id)",
    "CREATE UNIQUE INDEX payment_kept_once ON payment (bill_id) WHERE state = 'kept'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
