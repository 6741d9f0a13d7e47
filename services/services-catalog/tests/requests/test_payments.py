"""A fee from bill to product: paid at the counter, not paid, paid for nothing, given back."""

from datetime import timedelta

import pytest
from sebalai_services_catalog.payments.codes import is_code
from sebalai_services_catalog.requests.jobs import keep_deadlines
from sqlalchemy import text

LICENCE = "izin-pengusahaan-air-tanah"
LEASE = "izin-sewa-aset-daerah"
TYPE = "urn:sebalai:problem:"
FEE = 250_000


@pytest.fixture
def pay(keys):
    """The cashier records what a slip says."""

    async def take(client, request, slip="KW-1/2026", rupiah=FEE):
        url = f"/v1/requests/{request.body['id']}/bill/payments"
        body = {"slip": slip, "rupiah": rupiah}
        return await client.post(url, json=body, headers=keys())

    return take


@pytest.fixture
def give_back(keys):
    async def give(client, request, payment, slip="SP2D-9/2026"):
        url = f"/v1/requests/{request.body['id']}/bill/refunds"
        body = {"payment": payment, "slip": slip, "reason": "Permohonan ditolak"}
        return await client.post(url, json=body, headers=keys())

    return give


@pytest.fixture
def lessor(outsider):
    """The officer of the agency that leases."""
    return outsider


async def bill_of(request, client=None):
    answer = await (client or request.client).get(f"/v1/requests/{request.body['id']}/bill")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(database):
    async with database.transaction() as session:
        query = "SELECT type, document::text FROM outbox WHERE type LIKE 'catalog.bill.%'"
        return [tuple(row) for row in await session.execute(text(query + " ORDER BY seq"))]


async def test_an_accepted_request_has_a_bill_and_waits_for_it(billed, filed, outsider):
    request = await billed()
    bill = await bill_of(request)
    assert (bill["rupiah"], bill["state"], bill["account"], bill["payments"]) == (
        FEE, "open", None, []
    )  # fmt: skip
    assert is_code(bill["code"])
    assert bill["pay_until"] == request.body["reply_by"] == "2026-12-14T17:00:00Z"
    assert request.body["clock"]["mode"] == "off"
    url = f"/v1/requests/{request.body['id']}/bill"
    assert (await outsider.get(url)).json()["type"] == f"{TYPE}request-unknown"
    free = await filed()
    answer = await free.client.get(f"/v1/requests/{free.body['id']}/bill")
    assert (answer.status_code, answer.json()["type"]) == (404, f"{TYPE}bill-unknown")


async def test_the_cashier_takes_the_fee_and_the_request_goes_on_to_its_product(
    billed, pay, colleague, officer, signer, finish_tasks
):
    request = await billed()
    answer = await pay(colleague, request)
    assert (answer.status_code, answer.json()["state"]) == (200, "paid")
    body = await request.read()
    assert (body["state"], body["reply_by"]) == ("processing", None)
    assert body["clock"]["mode"] == "running"
    history = (await request.client.get(f"/v1/requests/{body['id']}/history")).json()["acts"]
    assert [(act["act"], act["role"]) for act in history][-2:] == [
        ("bill", "front_office"),
        ("pay", "platform"),
    ]
    await finish_tasks(request, officer)
    assert (await request.done("issue", signer, number="9/2026"))["state"] == "issued"


async def test_each_happening_is_one_fact_without_code_slip_or_person(
    billed, pay, give_back, colleague, superior, loaded
):
    request = await billed()
    await pay(colleague, request)
    owed = (await pay(colleague, request, "KW-2/2026")).json()["payments"][1]["id"]
    await give_back(superior, request, owed)
    facts = await told(loaded)
    assert [kind.split(".")[2] for kind, _ in facts] == [
        "opened",
        "settled",
        "exceeded",
        "refunded",
    ]
    secrets = ((await bill_of(request))["code"], "KW-", "SP2D", "loket", "timah")
    assert not [word for word in secrets for _, document in facts if word in document]


async def test_who_made_the_bill_or_is_no_officer_takes_no_money(
    billed, pay, officer, outsider, applicant
):
    request = await billed()
    for client, status in ((officer, 403), (applicant, 403), (outsider, 404)):
        assert (await pay(client, request)).status_code == status
    assert (await bill_of(request))["state"] == "open"


async def test_another_amount_or_a_slip_of_another_bill_is_refused(billed, pay, colleague):
    first, second = await billed(), await billed()
    answer = await pay(colleague, first, rupiah=FEE - 1)
    assert (answer.status_code, answer.json()["type"]) == (409, f"{TYPE}payment-amount-differs")
    assert (await pay(colleague, first)).status_code == 200
    answer = await pay(colleague, second)
    assert (answer.status_code, answer.json()["type"]) == (409, f"{TYPE}payment-reference-reused")
    assert (await bill_of(second))["state"] == "open"
    assert (await second.read())["state"] == "awaiting_payment"


async def test_the_same_slip_again_changes_nothing_and_another_is_owed_back(billed, pay, colleague):
    request = await billed()
    for slip in ("KW-1/2026", "KW-1/2026", "KW-2/2026"):
        answer = await pay(colleague, request, slip)
        assert answer.status_code == 200
    bill = await bill_of(request)
    assert [(one["reference"], one["state"]) for one in bill["payments"]] == [
        ("KW-1/2026", "kept"),
        ("KW-2/2026", "owed"),
    ]
    assert (await request.read())["state"] == "processing"


async def test_a_bill_that_nobody_pays_is_reminded_and_lapses_with_its_request(
    billed, pay, colleague, clock, loaded
):
    request = await billed()
    for _ in range(22):
        clock.move(timedelta(days=1))
        await keep_deadlines(loaded, clock)
    assert (await request.read())["state"] == "lapsed"
    assert (await bill_of(request))["state"] == "expired"
    async with loaded.transaction() as session:
        query = "SELECT count(*) FROM outbox WHERE type = 'catalog.request.reminded.v1'"
        assert await session.scalar(text(query)) == 2
    # Money that comes all the same is not lost: it is owed back.
    assert (await pay(colleague, request)).json()["payments"][0]["state"] == "owed"
    assert (await request.read())["state"] == "lapsed"
    assert [kind.split(".")[2] for kind, _ in await told(loaded)] == [
        "opened", "expired", "exceeded"
    ]  # fmt: skip


async def test_a_withdrawn_request_cancels_its_bill(billed):
    request = await billed()
    await request.done("withdraw", reason="Batal")
    assert (await bill_of(request))["state"] == "cancelled"


async def test_a_fee_comes_back_only_after_the_request_ended_without_its_product(
    billed, pay, give_back, colleague, signer, superior
):
    request = await billed()
    payment = (await pay(colleague, request)).json()["payments"][0]["id"]
    answer = await give_back(superior, request, payment)
    assert (answer.status_code, answer.json()["type"]) == (409, f"{TYPE}payment-not-refundable")
    await request.read()
    await request.done("refuse", signer, reason="Tidak layak", legal_basis="permendagri-3-2018")
    assert (await give_back(colleague, request, payment)).status_code == 403
    answer = await give_back(superior, request, "019ab000-0000-7000-8000-000000000000")
    assert (answer.status_code, answer.json()["type"]) == (404, f"{TYPE}payment-unknown")
    back = (await give_back(superior, request, payment)).json()["payments"][0]
    assert (back["state"], back["refund_slip"]) == ("refunded", "SP2D-9/2026")
    assert (await give_back(superior, request, payment, "SP2D-10/2026")).status_code == 409


async def test_who_took_the_money_does_not_give_it_back(billed, pay, give_back, signer, superior):
    request = await billed()
    await pay(signer, request)
    payment = (await pay(signer, request, "KW-2/2026")).json()["payments"][1]["id"]
    assert (await give_back(signer, request, payment)).status_code == 403
    assert (await give_back(superior, request, payment)).status_code == 200


async def test_a_fee_by_formula_is_worked_out_by_the_officer_and_billed(filed, lessor):
    request = await filed(LEASE)
    await request.done("verify", lessor)
    answer = await request.act("accept", lessor)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/fee")
    fee = {"rupiah": 1_250_000, "calculation": "25 m2 x Rp50.000"}
    body = await request.done("accept", lessor, fee=fee)
    assert body["state"] == "awaiting_payment"
    bill = await bill_of(request)
    assert (bill["rupiah"], bill["calculation"]) == (1_250_000, "25 m2 x Rp50.000")


async def test_a_formula_that_gives_nothing_asks_no_bill(filed, lessor):
    request = await filed(LEASE)
    await request.done("verify", lessor)
    fee = {"rupiah": 0, "calculation": "dibebaskan"}
    assert (await request.done("accept", lessor, fee=fee))["state"] == "processing"


async def test_a_fixed_fee_is_nobodys_to_work_out(filed, officer):
    request = await filed(LICENCE)
    await request.done("verify", officer)
    answer = await request.act("accept", officer, fee={"rupiah": 1, "calculation": "diskon"})
    assert answer.status_code == 422
