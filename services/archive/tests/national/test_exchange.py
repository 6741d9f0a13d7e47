"""Letters to and from the national application's stand-in: once, in spite of everything."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.examinations.jobs import examine_contents
from sebalai_archive.national.actions import FIRST_PAUSE, LONGEST_PAUSE, pause
from sebalai_archive.national.jobs import FAILURES_MAX, Exchanger, national_client, units_of
from sebalai_archive.national.wire import PAGE_ITEMS, Srikandi
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.storing import content_store_of
from sebalai_shared.testing.http import system
from sqlalchemy import text

from services.archive.tests.systems.clamd import EICAR, clamd

UNITS = {"19.01": "dinsos-pmd", "19.02": "dinkes"}
TOKEN = "rahasia-uji"
OPERATOR = system("ID-BB/GOV/diskominfo/operasi", "platform.operate")
PDF = b"%PDF-1.7 undangan"


@pytest.fixture
def module(stand_in):
    return stand_in("srikandi")


@pytest.fixture
async def national(module, listening):
    app = module.srikandi_app(TOKEN)
    async with listening(app) as url:
        app.state.url = url
        yield app.state


@pytest.fixture
async def exchanger_of(national, settings, database, clock, tmp_path):
    """A worker's exchanger; a fresh one is as good as one that lives on."""
    clients = []

    def make(token=TOKEN, **more):
        file = tmp_path / "units.json"
        file.write_text(str(UNITS).replace("'", '"'))
        found = {
            "srikandi_url": national.url,
            "srikandi_token": token,
            "private_systems": "127.0.0.1",
        }
        set_up = ArchiveSettings(**(settings.model_dump(exclude_unset=True) | found | more),
                                 srikandi_units_file=file)  # fmt: skip
        clients.append(national_client(set_up))
        store = content_store_of(settings)
        return Exchanger(database, store, Srikandi(clients[-1]), clock, units_of(file))

    yield make
    for one in clients:
        await one.aclose()


@pytest.fixture
async def sent(people, verified):
    for who, step in (("kepala", "signature"), ("konsep", "sending")):
        answer = await people[who].act(verified, step)
        assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def scan(settings, database, clock, tmp_path):
    async def run():
        async with clamd(tmp_path / "s") as socket:
            return await examine_contents(database, content_store_of(settings), clock, socket)

    return run


@pytest.fixture
def operator(client_of):
    return client_of(OPERATOR)


@pytest.fixture
def office(client_of):
    return client_of(system("ID-BB/GOV/dinsos-pmd/surat", "archive.write"))


async def items(client, **asked):
    answer = await client.get("/v1/national-sync/items", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def letters(client):
    return (await client.get("/v1/incoming-letters")).json()["items"]


async def test_a_sent_letter_goes_out_once_with_its_file(
    exchanger_of, sent, national, people, office
):
    assert await exchanger_of().exchange() == 1
    assert await exchanger_of().exchange() == 0
    [(name, body)] = national.letters.items()
    assert (name, body["nomor"], body["instansi_pengirim"]) == (sent["id"], sent["number"], "19.01")
    assert base64.b64decode(body["berkas"]).startswith(b"%PDF-")
    [item] = await items(office)
    assert (item["state"], item["national_id"], item["letter"]) == ("done", "S-1", sent["id"])


async def test_a_kill_between_sending_and_noting_it_makes_no_second_letter(
    exchanger_of, sent, national, database
):
    await exchanger_of().exchange()
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE national_item SET state = 'waiting', national_id = NULL")
        )
    assert await exchanger_of().exchange() == 1
    assert len(national.letters) == 1


async def test_what_is_not_sent_or_is_secret_stays_here(
    exchanger_of, verified, people, national, database
):
    await people["kepala"].act(verified, "signature")
    assert await exchanger_of().exchange() == 0
    await people["konsep"].act(verified, "sending")
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE outgoing_letter DISABLE TRIGGER USER"))
        await session.execute(text("UPDATE outgoing_letter SET security_class = 'rahasia'"))
    assert await exchanger_of().exchange() == 0
    assert national.letters == {}


async def test_an_outage_is_waited_out_with_ever_longer_pauses(
    exchanger_of, sent, national, clock, operator
):
    national.down = True
    exchanger = exchanger_of()
    assert await exchanger.exchange() == 0
    assert await exchanger.exchange() == 0
    assert len([call for call in national.calls if call.startswith("PUT")]) == 1
    [item] = await items(operator, state="waiting")
    assert (item["problem"], item["attempts"]) == ("away", 1)
    clock.move(FIRST_PAUSE)
    await exchanger.exchange()
    [item] = await items(operator, state="waiting")
    assert item["attempts"] == 2
    told = (await operator.get("/v1/national-sync")).json()
    assert (told["states"], told["waiting_seconds"]) == ({"waiting": 1}, 30)
    national.down = False
    clock.move(pause(2))
    assert await exchanger.exchange() == 1


async def test_a_dead_or_wrong_counterpart_loses_nothing(exchanger_of, sent, national, clock):
    for wrong in ({"token": "salah"}, {"srikandi_url": "http://127.0.0.1:9"}):
        assert await exchanger_of(**wrong).exchange() == 0
        clock.move(LONGEST_PAUSE)
    assert await exchanger_of().exchange() == 1


async def test_a_refused_letter_is_told_and_goes_again_by_a_person(
    exchanger_of, sent, national, office, clock
):
    national.refused.add(sent["subject"])
    await exchanger_of().exchange()
    clock.move(FIRST_PAUSE)
    assert await exchanger_of().exchange() == 0
    [item] = await items(office, state="refused")
    assert item["problem"] == "letter-refused"
    national.refused.clear()
    again = await office.post(f"/v1/national-sync/items/{item['id']}/repetition")
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    assert await exchanger_of().exchange() == 1
    settled = await office.post(f"/v1/national-sync/items/{item['id']}/repetition")
    assert settled.json()["type"] == "urn:sebalai:problem:sync-item-settled"


async def test_other_content_under_our_name_is_a_conflict_and_nothing_is_overwritten(
    exchanger_of, sent, national, office
):
    national.letters[sent["id"]] = {"sha256": "0" * 64}
    assert await exchanger_of().exchange() == 0
    assert national.letters == {sent["id"]: {"sha256": "0" * 64}}
    [item] = await items(office, state="conflict")
    assert item["problem"] == "content-differs"


async def test_a_letter_from_there_waits_for_the_office_and_is_registered(
    exchanger_of, national, module, office
):
    national.inbox.append(module.letter("N1", PDF))
    assert await exchanger_of().exchange() == 1
    assert await exchanger_of().exchange() == 0
    [letter] = await letters(office)
    assert (letter["channel"], letter["agenda"], letter["letter_number"]) == (
        "srikandi",
        None,
        "100/N1/2026",
    )
    path = f"/v1/incoming-letters/{letter['id']}"
    assert (await office.get(f"{path}/content")).content == PDF
    taken = await office.post(f"{path}/registration", json={"addressed_to": "kepala"})
    assert taken.json()["agenda"] == "1/2026"


async def test_reading_goes_on_where_it_was_cut(exchanger_of, national, module, office):
    """The list in pages, the files one by one; a wrong file waits and keeps no other waiting."""
    for number in range(PAGE_ITEMS + 3):
        national.inbox.append(module.letter(f"N{number}", f"%PDF {number}".encode()))
    national.cut = {f"N{number}" for number in range(FAILURES_MAX)}
    assert await exchanger_of().exchange() == 0
    lists = [call for call in national.calls if call.startswith("LIST")]
    assert lists == ["LIST ", f"LIST {PAGE_ITEMS}", f"LIST {PAGE_ITEMS + 3}"]
    assert await exchanger_of().exchange() == PAGE_ITEMS
    assert national.calls[-PAGE_ITEMS - 1] == f"LIST {PAGE_ITEMS + 3}"
    assert len({one["letter_number"] for one in (await office.get(
        "/v1/incoming-letters", params={"limit": 100})).json()["items"]}) == PAGE_ITEMS  # fmt: skip


async def test_the_same_letter_by_two_ways_is_one(exchanger_of, sent, national, module, client_of):
    """Our own letter to another agency came over the bus, and comes again from there."""
    other = client_of(system("ID-BB/GOV/dinkes/surat", "archive.write"))
    [arrived] = await letters(other)
    await exchanger_of().exchange()
    file = base64.b64decode(national.letters[sent["id"]]["berkas"])
    national.inbox.append(module.letter("N1", file, nomor=sent["number"], instansi_tujuan="19.02"))
    await exchanger_of().exchange()
    assert [one["id"] for one in await letters(other)] == [arrived["id"]]
    [item] = await items(other, state="duplicate")
    assert item["letter"] == arrived["id"]


async def test_a_letter_that_changed_there_is_a_conflict_and_ours_stays(
    exchanger_of, national, module, office, database
):
    national.inbox.append(module.letter("N1", PDF))
    await exchanger_of().exchange()
    national.inbox.append(module.letter("N1", b"%PDF lain"))
    await exchanger_of().exchange()
    [letter] = await letters(office)
    assert (await office.get(f"/v1/incoming-letters/{letter['id']}/content")).content == PDF
    [item] = await items(office, state="conflict")
    assert (item["national_id"], item["problem"]) == ("N1", "content-differs")
    repeated = await office.post(f"/v1/national-sync/items/{item['id']}/repetition")
    assert repeated.status_code == 409


@pytest.mark.parametrize(
    "wrong", [{"nomor": "a\nb"}, {"ukuran": 0}, {"tanggal": "kemarin"}, {"id": "../x"}]
)
async def test_a_list_that_is_none_is_waited_out(wrong, exchanger_of, national, module, office):
    national.inbox.append(module.letter("N1", PDF, **wrong))
    assert await exchanger_of().exchange() == 0
    assert await letters(office) == []


async def test_an_agency_that_takes_no_part_is_told_to_the_operator_alone(
    exchanger_of, national, module, office, operator
):
    national.inbox.append(module.letter("N1", PDF, instansi_tujuan="99.99"))
    await exchanger_of().exchange()
    [item] = await items(operator, state="refused")
    assert item["problem"] == "agency-unknown"
    assert await items(office) == []


async def test_a_letter_from_there_is_scanned_before_it_is_opened(
    exchanger_of, national, module, office, scan
):
    national.inbox.append(module.letter("N1", EICAR))
    await exchanger_of().exchange()
    assert await scan() >= 1
    [letter] = await letters(office)
    answer = await office.get(f"/v1/incoming-letters/{letter['id']}/content")
    assert answer.json()["type"] == "urn:sebalai:problem:content-infected"


async def test_the_state_is_the_operators_and_each_agency_sees_its_own(
    exchanger_of, sent, office, client_of, anonymous
):
    await exchanger_of().exchange()
    [item] = await items(office)
    stranger = client_of(system("ID-BB/GOV/dp3acskb/surat", "archive.write"))
    assert await items(stranger) == []
    path = f"/v1/national-sync/items/{item['id']}/repetition"
    assert (await stranger.post(path)).status_code == 404
    assert (await office.get("/v1/national-sync")).status_code == 403
    assert (
        await client_of(system("ID-BB/GOV/dinsos-pmd/baca")).get("/v1/national-sync/items")
    ).status_code == 403
    assert (await anonymous.get("/v1/national-sync/items")).status_code == 401


@given(st.integers(0, 10_000))
def test_pauses_grow_and_end(attempts):
    assert FIRST_PAUSE <= pause(attempts) <= pause(attempts + 1) <= LONGEST_PAUSE


def test_a_token_goes_over_tls_alone_and_one_code_stands_for_one_agency(tmp_path):
    file = tmp_path / "units.json"
    file.write_text('{"1": "a", "2": "a"}')
    with pytest.raises(ValueError, match="one code"):
        units_of(file)
    with pytest.raises(ValueError, match="over https"):
        ArchiveSettings(srikandi_url="http://x.go.id", srikandi_token="t", srikandi_units_file=file)
    with pytest.raises(ValueError, match="needs srikandi_token"):
        ArchiveSettings(srikandi_url="https://x.go.id")
