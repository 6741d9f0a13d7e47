"""Paying by QRIS, against a stand-in: a code on asking, checked; signed notices; no code too many."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest
from sebalai_services_catalog.app import catalog_app
from sebalai_services_catalog.payments import qris_codes
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_shared.testing.http import system

SECRET, FEE = "rahasia-uji", 250_000
PATH = "/api/catalog/v1/payments/qris-notices"
TYPE = "urn:sebalai:problem:"


@pytest.fixture
def settings(settings, bank):
    connected = CatalogSettings(
        payments_url=bank.url, payments_partner="SEBALAI", payments_prefix="98765",
        payments_secret=SECRET, private_systems="127.0.0.1", payments_merchant="ID1026000001",
    )  # fmt: skip
    names = connected.model_fields_set
    return settings.model_copy(update=connected.model_dump(include=names))


@pytest.fixture
async def app(settings, database, clock):
    app = catalog_app(settings, database, clock)
    async with app.router.lifespan_context(app):
        yield app


def url_of(request):
    return f"/v1/requests/{request.body['id']}/bill"


async def asked(request):
    return await request.client.put(f"{url_of(request)}/qris")


async def bill_of(request):
    return (await request.client.get(url_of(request))).json()


@pytest.fixture
def tell(module, anonymous, clock, bank):
    """The gateway tells of a payment by the last code it made."""

    async def send(payment="Q-1", rupiah=FEE, *, secret=SECRET, path=PATH, code=None, **more):
        code = code or bank.codes[-1]["partnerReferenceNo"]
        sent = module.qris_notice(secret, path, code, rupiah, payment, clock.now(), **more)
        return await anonymous.post("/v1/payments/qris-notices", **sent)

    return send


async def test_a_code_over_the_bill_is_asked_for_and_its_payment_lets_the_request_go_on(
    billed, bank, tell, module
):
    request = await billed()
    bill = await bill_of(request)
    told = (await asked(request)).json()
    order = bank.codes[0]
    assert order["partnerReferenceNo"] == f"{bill['code']}01"
    assert order["validityPeriod"] == "2026-11-24T10:30:00+07:00"
    assert told["content"] == module.qris(f"{bill['code']}01", "250000.00")
    assert (told["rupiah"], told["until"]) == (FEE, "2026-11-24T03:30:00Z")
    answer = await tell()
    assert (answer.status_code, answer.json()["responseCode"]) == (200, "2005200")
    assert (await request.read())["state"] == "processing"
    [payment] = (await bill_of(request))["payments"]
    assert (payment["via"], payment["reference"], payment["state"]) == (
        "gateway",
        "qris:Q-1",
        "kept",
    )
    assert (await asked(request)).json()["type"] == f"{TYPE}bill-not-open"


async def test_the_same_code_is_told_while_it_is_good_and_a_new_one_after(billed, bank, clock):
    request = await billed()
    first = (await asked(request)).json()
    clock.move(timedelta(minutes=25))
    assert (await asked(request)).json() == first
    clock.move(timedelta(seconds=1))
    second = (await asked(request)).json()
    assert second["content"] != first["content"]
    assert len(bank.codes) == 2


async def test_the_code_is_an_image_while_it_is_good(billed, clock):
    request = await billed()
    url = f"{url_of(request)}/qris.svg"
    assert (await request.client.get(url)).status_code == 404
    await asked(request)
    image = await request.client.get(url)
    assert image.headers["content-type"] == "image/svg+xml"
    assert ET.fromstring(image.content).tag.endswith("svg")  # noqa: S314 - our own
    clock.move(timedelta(minutes=31))
    assert (await request.client.get(url)).status_code == 404


async def test_a_code_of_another_amount_or_a_spoilt_one_is_never_shown(billed, bank, module):
    request = await billed()
    for spoil in (
        lambda _: module.qris("1", "1.00"),
        lambda _: module.qris("1", "250000.00", mode="11"),
        lambda content: content[:-1] + ("0" if content[-1] != "0" else "1"),
        lambda _: "",
    ):
        bank.spoil = spoil
        answer = await asked(request)
        assert (answer.status_code, answer.json()["type"]) == (503, f"{TYPE}qris-unavailable")
    assert (await request.client.get(f"{url_of(request)}/qris.svg")).status_code == 404


async def test_an_outage_takes_nothing_but_a_number(billed, bank):
    request = await billed()
    bank.down = True
    assert (await asked(request)).status_code == 503
    bank.down = False
    assert (await asked(request)).status_code == 200
    assert bank.codes[0]["partnerReferenceNo"].endswith("02")


async def test_codes_of_a_bill_come_to_an_end(billed, clock, monkeypatch):
    monkeypatch.setattr(qris_codes, "CODES_A_BILL_MAX", 1)
    request = await billed()
    await asked(request)
    clock.move(timedelta(minutes=30))
    answer = await asked(request)
    assert (answer.status_code, answer.json()["type"]) == (409, f"{TYPE}qris-codes-spent")


async def test_money_by_an_older_code_is_the_bills_and_what_comes_twice_is_owed(
    billed, bank, tell, clock
):
    request = await billed()
    await asked(request)
    clock.move(timedelta(minutes=29))
    await asked(request)
    for payment, order in (("Q-1", 0), ("Q-1", 0), ("Q-2", 1)):
        answer = await tell(payment, code=bank.codes[order]["partnerReferenceNo"])
        assert answer.status_code == 200
    payments = (await bill_of(request))["payments"]
    assert [(one["reference"], one["state"]) for one in payments] == [
        ("qris:Q-1", "kept"), ("qris:Q-2", "owed"),
    ]  # fmt: skip


async def test_a_notice_that_failed_or_is_not_the_gateways_moves_nothing(billed, tell):
    request = await billed()
    await asked(request)
    assert (await tell(status="06")).json()["responseCode"] == "2005200"
    assert (await tell(secret="lain")).status_code == 401
    assert (await tell(path="/api/catalog/v1/payments/notices")).status_code == 401
    assert (await tell(rupiah=FEE - 1)).json()["type"] == f"{TYPE}payment-amount-differs"
    assert (await tell(code="26000000000001")).status_code == 404
    assert (await bill_of(request))["payments"] == []


async def test_a_stranger_gets_no_code(billed, client_of, bank):
    request = await billed()
    stranger = client_of(system("ID-BB/GOV/bakuda/pajak", "catalog.write"))
    assert (await stranger.put(f"{url_of(request)}/qris")).status_code == 404
    assert bank.codes == []
