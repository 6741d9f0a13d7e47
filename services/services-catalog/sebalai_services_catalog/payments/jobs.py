"""Accounts at the payment gateway: opened for open bills, closed for ended ones.

Each is asked for after the bill is committed and may be asked again: an outage delays the number,
never the request.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence

from sebalai_shared import http
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_services_catalog.outside import FAILURES_MAX, outside_client
from sebalai_services_catalog.payments import store
from sebalai_services_catalog.payments.gateway import (
    Order,
    Partner,
    PaymentGateway,
    SnapGateway,
)
from sebalai_services_catalog.payments.model import Bill
from sebalai_services_catalog.payments.snap import GatewayFailed
from sebalai_services_catalog.payments.snap_token import SnapTokens, read_rsa_key
from sebalai_services_catalog.settings import CatalogSettings

log = logging.getLogger(__name__)

ACCOUNTS_SECONDS = 5.0
ACCOUNTS_ROWS = 100


def payments_client(settings: CatalogSettings) -> http.Client:
    """The process's client of the payment gateway; close it at the end."""
    return outside_client(settings, settings.payments_url)


def snap_gateway(settings: CatalogSettings, client: http.Client, clock: Clock) -> SnapGateway:
    assert settings.payments_secret is not None  # noqa: S101 - the settings are checked as a whole
    secret = settings.payments_secret.get_secret_value()
    merchant = settings.payments_merchant
    partner = Partner(settings.payments_partner, settings.payments_prefix, secret, merchant)
    return SnapGateway(client, partner, clock, _tokens(settings, client, clock))


def _tokens(settings: CatalogSettings, client: http.Client, clock: Clock) -> SnapTokens | None:
    """Raises: OSError, ValueError for a key that cannot be read."""
    if settings.payments_key_file is None:
        return None
    key = read_rsa_key(settings.payments_key_file.read_bytes())
    return SnapTokens(client, settings.payments_client_key, key, clock)


async def keep_accounts(database: Database, gateway: PaymentGateway, clock: Clock) -> int:
    """One pass; answers how many accounts were opened or closed."""
    async with database.transaction() as session:
        wanted = await store.accounts_wanted(session, clock.now(), ACCOUNTS_ROWS)
        ended = await store.accounts_ended(session, ACCOUNTS_ROWS)

    async def opened(bill: Bill) -> dict[str, object]:
        return {"account": await gateway.open_account(_order(bill))}

    async def closed(bill: Bill) -> dict[str, object]:
        await gateway.close_account(_order(bill), bill.account or "")
        return {"account_closed": True}

    return await _each(database, wanted, opened) + await _each(database, ended, closed)


async def _each(
    database: Database,
    bills: Sequence[Bill],
    ask: Callable[[Bill], Awaitable[dict[str, object]]],
) -> int:
    """One bill that the gateway refuses does not keep the others waiting."""
    done = failures = 0
    for bill in bills:
        try:
            columns = await ask(bill)
        except GatewayFailed as error:
            log.warning("the payment gateway did not take bill %s: %s", bill.id, error)
            failures += 1
            if failures == FAILURES_MAX:
                break
            continue
        failures = 0
        async with database.transaction() as session:
            await store.write_account(session, bill.id, **columns)
        done += 1
    return done


def _order(bill: Bill) -> Order:
    return Order(bill.code, bill.service, bill.rupiah, bill.pay_until)
