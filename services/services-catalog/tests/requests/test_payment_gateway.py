"""Fees through the payment gateway, against a stand-in: accounts, signed notices, replays, outages."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError
from sebalai_services_catalog.payments.jobs import keep_accounts, payments_client, snap_gateway
from sebalai_services_catalog.payments.snap import GatewayFailed
from sebalai_services_catalog.payments.snap_token import SnapTokens, read_rsa_key
from sebalai_services_catalog.settings import CatalogSettings

SECRET = "rahasia-uji"
PATH = "/api/catalog/v1/payments/notices"
TYPE = "urn:sebalai:problem:"
FEE = 250_000


@pytest.fixture
def settings(settings, bank):
    """The catalogue with the gateway connected."""
    return settings.model_copy(update=connected(bank.url).model_dump(include=NAMES))


NAMES = {
    "payments_url", "payments_partner", "payments_prefix", "payments_secret", "private_systems"
}  # fmt: skip


def connected(url, **more):
    return CatalogSettings(
        **{
            "payments_url": url, "payments_partner": "SEBALAI", "payments_prefix": "98765",
            "payments_secret": SECRET, "private_systems": "127.0.0.1",
        }
        | more
    )  # fmt: skip


@pytest.fixture
def keep(settings, loaded, clock):
    """One pass over the accounts."""

    async def run(**more):
        changed = settings.model_copy(update=more)
        async with payments_client(changed) as client:
            return await keep_accounts(loaded, snap_gateway(changed, client, clock), clock)

    return run


@pytest.fixture
def tell(module, anonymous, clock):
    """The gateway tells of money; `at` for a notice from another time, `changed` of its body."""

    async def send(bill, reference="PAY-1", rupiah=FEE, *, secret=SECRET, at=None, **more):
        sent = module.notice(secret, PATH, bill["code"], rupiah, reference, at or clock.now())
        return await anonymous.post("/v1/payments/notices", **sent | more)

    return send


async def bill_of(request):
    return (await request.client.get(f"/v1/requests/{request.body['id']}/bill")).json()


async def test_a_bill_gets_its_account_and_the_notice_lets_the_request_go_on(
    billed, bank, keep, tell
):
    request = await billed()
    assert await keep() == 1
    assert await keep() == 0
    bill = await bill_of(request)
    assert bill["account"] == f"98765{bill['code']}"
    order = bank.orders[0]
    assert order["totalAmount"] == {"value": "250000.00", "currency": "IDR"}
    assert order["expiredDate"] == "2026-12-15T00:00:00+07:00"
    assert "timah" not in str(order)
    answer = await tell(bill)
    assert (answer.status_code, answer.json()["responseCode"]) == (200, "2002500")
    assert (await request.read())["state"] == "processing"
    assert (await bill_of(request))["payments"][0]["via"] == "gateway"
    assert await keep() == 1
    assert bank.closed == {bill["code"]}


async def test_a_notice_told_again_changes_nothing_and_a_second_payment_is_owed_back(billed, tell):
    request = await billed()
    bill = await bill_of(request)
    for reference in ("PAY-1", "PAY-1", "PAY-2", "PAY-2"):
        assert (await tell(bill, reference)).status_code == 200
    payments = (await bill_of(request))["payments"]
    assert [(one["reference"], one["state"]) for one in payments] == [
        ("PAY-1", "kept"),
        ("PAY-2", "owed"),
    ]


async def test_a_notice_that_is_not_the_gateways_or_not_of_now_moves_nothing(
    billed, tell, clock, module
):
    request = await billed()
    bill = await bill_of(request)
    late = clock.now() - timedelta(minutes=6)
    early = clock.now() + timedelta(minutes=6)
    other = module.notice(SECRET, PATH, bill["code"], 1, "PAY-1", clock.now())["content"]
    wrong_path = module.notice(SECRET, "/elsewhere", bill["code"], FEE, "PAY-1", clock.now())
    refused = [
        await tell(bill, secret="lain"),
        await tell(bill, at=late),
        await tell(bill, at=early),
        await tell(bill, content=other),
        await tell(bill, headers=wrong_path["headers"]),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["type"]) == (
            401, f"{TYPE}payment-notice-refused"
        )  # fmt: skip
    assert (await bill_of(request))["payments"] == []
    assert (await tell(bill)).status_code == 200


async def test_a_notice_of_another_amount_or_an_unknown_bill_is_refused(billed, tell):
    request = await billed()
    bill = await bill_of(request)
    answer = await tell(bill, rupiah=FEE + 1)
    assert (answer.status_code, answer.json()["type"]) == (409, f"{TYPE}payment-amount-differs")
    answer = await tell({"code": "260000000000"})
    assert (answer.status_code, answer.json()["type"]) == (404, f"{TYPE}bill-unknown")
    second = await bill_of(await billed())
    await tell(bill, "PAY-7")
    answer = await tell(second, "PAY-7")
    assert (answer.status_code, answer.json()["type"]) == (409, f"{TYPE}payment-reference-reused")


async def test_an_outage_or_a_refused_bill_delays_only_what_it_must(billed, bank, keep):
    first, second = await billed(), await billed()
    bank.down = True
    assert await keep() == 0
    bank.down = False
    assert await keep(payments_url="http://127.0.0.1:9") == 0
    bank.refused.add((await bill_of(first))["code"])
    assert await keep() == 1
    assert (await bill_of(second))["account"] is not None
    bank.refused.clear()
    assert await keep() == 1


async def test_an_answer_lost_on_its_way_is_made_good_by_the_next_pass(billed, bank, keep):
    request = await billed()
    bank.silent = True
    assert await keep() == 0
    assert await keep() == 1
    bill = await bill_of(request)
    assert bill["account"] == f"98765{bill['code']}"
    assert len(bank.accounts) == 1


async def test_a_withdrawn_request_closes_its_account(billed, bank, keep):
    request = await billed()
    await keep()
    await request.done("withdraw", reason="Batal")
    assert await keep() == 1
    assert bank.closed == {(await bill_of(request))["code"]}


@pytest.fixture
def keyed(bank, tmp_path):
    """The gateway asks for access tokens of our key; settings that have it."""
    key = rsa.generate_private_key(65537, 2048)
    bank.public_key, path = key.public_key(), tmp_path / "payments.pem"
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key.private_bytes(*form))
    return {"payments_key_file": path, "payments_client_key": "sebalai-b2b"}


async def test_one_access_token_serves_until_it_ends_or_is_refused(
    billed, bank, keep, keyed, clock
):
    await billed()
    assert await keep() == 0
    assert bank.orders == []
    await billed()
    assert await keep(**keyed) == 2
    assert len(bank.tokens) - ("" in bank.tokens) == 1
    bank.token_calls = 1
    for _ in range(2):
        await billed()
    assert await keep(**keyed) == 2
    assert len(bank.orders) == 4


async def test_an_access_token_is_asked_for_anew_before_its_end(bank, settings, keyed, clock):
    async with payments_client(settings) as client:
        key = read_rsa_key(keyed["payments_key_file"].read_bytes())
        tokens = SnapTokens(client, "sebalai-b2b", key, clock)
        assert [await tokens.current(), await tokens.current()] == ["t1", "t1"]
        clock.move(timedelta(seconds=839))
        assert await tokens.current() == "t1"
        clock.move(timedelta(seconds=1))
        assert await tokens.current() == "t2"
        other = rsa.generate_private_key(65537, 2048)
        with pytest.raises(GatewayFailed):
            await SnapTokens(client, "sebalai-b2b", other, clock).current()


async def test_the_counter_takes_nothing_while_the_gateway_does(billed, colleague, keys):
    request = await billed()
    answer = await colleague.post(
        f"/v1/requests/{request.body['id']}/bill/payments",
        json={"slip": "KW-1", "rupiah": FEE},
        headers=keys(),
    )
    assert (answer.status_code, answer.json()["type"]) == (409, f"{TYPE}payment-counter-closed")


def test_a_gateway_without_a_secret_does_not_start():
    for missing in ("payments_partner", "payments_prefix", "payments_secret"):
        with pytest.raises(ValidationError, match=missing):
            connected("https://bank.example", **{missing: ""})
    with pytest.raises(ValidationError, match="payments_key_file"):
        connected("https://bank.example", payments_client_key="sebalai-b2b")
