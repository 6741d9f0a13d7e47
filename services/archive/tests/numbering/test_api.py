import asyncio
from datetime import UTC, datetime

import pytest
from sebalai_archive.numbering import actions
from sebalai_archive.numbering.actions import NumberSettled
from sebalai_archive.numbering.pattern import NumberParts
from sebalai_archive.settings import ArchiveSettings
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.http import system
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

TEMPLATE = {
    "letter_type": "surat_dinas",
    "book": "keluar",
    "pattern": "{klasifikasi}/{nomor:3}/{unit}/{bulan_romawi}/{tahun}",
    "valid_from": "2026-11-24",
}
WRITER = system("ID-BB/GOV/dinsos-pmd/bansos", "archive.write")


def key():
    return {"idempotency-key": str(uuid7())}


def parts(clock):
    return NumberParts("000.1.5", 0, "DINSOS", "B", clock.now().date())


async def take(database, clock, letter):
    async with database.transaction() as session:
        return await actions.take_number(
            session,
            clock,
            caller=WRITER,
            letter_id=letter,
            letter_type="surat_dinas",
            parts=parts(clock),
        )


async def test_a_letter_gets_the_next_number_and_keeps_it(writer, database, clock):
    assert (
        await writer.post("/v1/number-templates", json=TEMPLATE, headers=key())
    ).status_code == 201
    letter = uuid7()
    first, text_of = await take(database, clock, letter)
    again, _ = await take(database, clock, letter)
    other, _ = await take(database, clock, uuid7())
    assert (first.n, again.n, other.n) == (1, 1, 2)
    assert text_of == "000.1.5/001/DINSOS/XI/2026"


async def test_without_a_template_no_number_is_taken(writer, database, clock):
    with pytest.raises(actions.TemplateMissing):
        await take(database, clock, uuid7())
    answer = await writer.get("/v1/numbers", params={"book": "keluar", "year": 2026})
    assert answer.json()["items"] == []


async def test_an_issued_number_never_changes(writer, database, clock):
    await writer.post("/v1/number-templates", json=TEMPLATE, headers=key())
    letter = uuid7()
    await take(database, clock, letter)
    async with database.transaction() as session:
        await actions.issue_number(session, clock, caller=WRITER, letter_id=letter, text="x/1/2026")
    async with database.transaction() as session:
        with pytest.raises(NumberSettled):
            await actions.void_number_of(
                session, clock, caller=WRITER, letter_id=letter, reason="salah"
            )
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            await session.execute(text("UPDATE number SET n = 9"))


async def test_a_block_for_an_outage_is_reserved_once_and_voided_by_number(writer):
    headers, wanted = key(), {"book": "keluar", "count": 3}
    block = (await writer.post("/v1/number-blocks", json=wanted, headers=headers)).json()
    again = (await writer.post("/v1/number-blocks", json=wanted, headers=headers)).json()
    assert block == again
    assert (block["first"], block["last"]) == (1, 3)
    register = {"book": "keluar", "year": 2026}
    rows = (await writer.get("/v1/numbers", params=register)).json()["items"]
    assert [(row["n"], row["state"]) for row in rows] == [
        (1, "reserved"),
        (2, "reserved"),
        (3, "reserved"),
    ]
    address = f"/v1/numbers/{rows[0]['id']}/void"
    voided = await writer.post(address, json={"reason": "Tidak terpakai"})
    assert (voided.json()["state"], voided.json()["reason"]) == ("void", "Tidak terpakai")
    assert (await writer.post(address, json={"reason": "Lagi"})).status_code == 409


async def test_another_agencys_register_does_not_exist(writer, stranger):
    await writer.post("/v1/number-blocks", json={"book": "keluar", "count": 1}, headers=key())
    register = {"book": "keluar", "year": 2026}
    number = (await writer.get("/v1/numbers", params=register)).json()["items"][0]
    assert (await stranger.get("/v1/numbers", params=register)).json()["items"] == []
    answer = await stranger.post(f"/v1/numbers/{number['id']}/void", json={"reason": "x"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("letter_type", "surat_cinta"),
        ("pattern", "{klasifikasi}/{tahun}"),
        ("book", "Buku Keluar"),
        ("valid_from", "2026-11-23"),
        ("valid_from", "besok"),
    ],
)
async def test_a_bad_template_names_its_field(writer, field, value):
    answer = await writer.post(
        "/v1/number-templates", json=TEMPLATE | {field: value}, headers=key()
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"


async def test_a_second_template_for_the_same_day_is_refused(writer):
    await writer.post("/v1/number-templates", json=TEMPLATE, headers=key())
    assert (
        await writer.post("/v1/number-templates", json=TEMPLATE, headers=key())
    ).status_code == 409


async def test_200_parallel_takes_with_aborts_leave_no_gap(kept_url):
    """Every tenth transaction is rolled back: its number goes to the next one."""
    database = Database(ArchiveSettings(database_url=kept_url))
    agency = f"uji-{uuid7().hex[:8]}"
    caller = system(f"ID-BB/GOV/{agency}/surat", "archive.write")
    clock = FixedClock(datetime(2026, 11, 24, 3, 0, tzinfo=UTC))
    async with database.transaction() as session:
        wanted = actions.TemplateCreate.model_validate(TEMPLATE)
        await actions.add_template(session, clock, caller=caller, wanted=wanted)

    turns = asyncio.Semaphore(10)  # a pool's connections: who queues there may wait for 5 s only

    async def one(place):
        try:
            async with turns, database.transaction() as session:
                number, _ = await actions.take_number(
                    session,
                    clock,
                    caller=caller,
                    letter_id=uuid7(),
                    letter_type="surat_dinas",
                    parts=parts(clock),
                )
                return number.n, 1 / (place % 10)
        except ZeroDivisionError:
            return None

    taken = [it[0] for it in await asyncio.gather(*(one(i) for i in range(200))) if it]
    await database.close()
    assert sorted(taken) == list(range(1, 181))
