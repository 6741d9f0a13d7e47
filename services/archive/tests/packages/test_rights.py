"""A package holds what its taker may open, and tells of nothing else."""

import pytest
from sebalai_archive.records.model import Opening
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system
from sqlalchemy import select

from services.archive.tests.packages.conftest import exported, key, sent

OPERATOR = system("ID-BB/GOV/diskominfo/operasi", "platform.operate")


@pytest.mark.parametrize("who", ["stranger", "anonymous"])
async def test_an_outsider_gets_no_package(who, request, keep, file_unit):
    outsider = request.getfixturevalue(who)
    hidden = await keep(file_unit=file_unit, security_class="terbatas")
    for named in ({"record": hidden}, {"file_unit": file_unit}):
        answer = await outsider.get("/v1/packages", params=named)
        assert answer.status_code in {401, 404}
        assert hidden not in answer.text


async def test_one_record_too_many_and_nothing_goes_out(stranger, keep):
    public, hidden = await keep(security_class="biasa"), await keep(security_class="rahasia")
    await exported(stranger, record=[public])
    await exported(stranger, status=404, record=[public, hidden])


async def test_of_a_file_unit_an_official_takes_only_what_it_opens(client_of, keep, file_unit):
    standing = {"agency": "dinsos-pmd", "rank": "staff", "is_archivist": True}
    await client_of(OPERATOR).put("/v1/standings/arsiparis", json=standing)
    archivist = client_of(Caller(kind="civil_servant", subject="arsiparis", agency="dinsos-pmd"))
    opened = await keep(b"a", file_unit=file_unit, security_class="biasa", title="Terbuka")
    secret = await keep(b"b", file_unit=file_unit, security_class="rahasia", title="Rajawali")
    package = await exported(archivist, file_unit=file_unit)
    assert opened.encode() in package
    assert secret.encode() not in package
    assert b"Rajawali" not in package
    await exported(archivist, status=403, record=[secret])


async def test_another_agencys_file_unit_is_not_told_of(stranger, keep, file_unit):
    record_id = await keep(file_unit=file_unit, security_class="biasa")
    assert b"Rapat 2026" not in await exported(stranger, record=record_id)


async def test_each_opening_of_a_closed_class_is_logged(writer, keep, database):
    record_id = await keep(security_class="terbatas")
    await exported(writer, record=record_id)
    async with database.transaction() as session:
        [opening] = await session.scalars(select(Opening))
    assert (str(opening.record_id), opening.what) == (record_id, "package")


async def test_drafts_empty_file_units_and_odd_requests(writer, file_unit):
    wanted = {"title": "Notula", "classification": "000.1.5", "security_class": "biasa"}
    draft = (await writer.post("/v1/records", json=wanted, headers=key())).json()["id"]
    await exported(writer, status=409, record=draft)
    await exported(writer, status=404, file_unit=file_unit)
    await exported(writer, status=422)
    await exported(writer, status=422, file_unit=file_unit, record=draft)
    await exported(writer, status=404, record=str(uuid7()))


async def test_who_may_not_write_brings_nothing(client_of, writer, keep):
    package = await exported(writer, record=await keep())
    reader = client_of(system("ID-BB/GOV/dkpus/baca"))
    assert (await sent(reader, package)).status_code == 403
