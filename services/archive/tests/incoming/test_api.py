import base64
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from sebalai_archive.examinations import actions as examinations
from sebalai_archive.examining import Found
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process, system
from sqlalchemy import text

APPLICATION = "ID-BB/GOV/dinsos-pmd/surat"
SCAN = b"%PDF-1.7 pindaian"


def key():
    return {"idempotency-key": str(uuid7())}


@pytest.fixture
def person(app, asserter):
    """A client of somebody of the agency, not of its office."""

    def make(name, agency="dinsos-pmd"):
        caller = replace(system(f"ID-BB/GOV/{agency}/surat", "openid"), kind="person", subject=name)
        return in_process(app, asserter.headers(caller, "archive"))

    return make


@pytest.fixture
def office(client_of):
    return client_of(system(APPLICATION, "archive.write"))


async def scanned(http, **more):
    wanted = {"title": "Pindaian", "classification": "000.1.5", "security_class": "biasa"} | more
    draft = await http.post("/v1/records", json=wanted, headers=key())
    digest = base64.b64encode(hashlib.sha256(SCAN).digest()).decode()
    address = f"/v1/records/{draft.json()['id']}/content"
    await http.put(address, content=SCAN, headers={"content-digest": f"sha-256=:{digest}:"})
    return draft.json()["id"]


@pytest.fixture
async def scan(office):
    return await scanned(office)


@pytest.fixture
def wanted(scan):
    return {
        "sender": "PT Timah",
        "letter_number": "77/PT/2026",
        "subject": "Permohonan audiensi",
        "addressed_to": "kepala",
        "record_id": scan,
    }


@pytest.fixture
async def letter(office, wanted):
    answer = await office.post("/v1/incoming-letters", json=wanted, headers=key())
    assert answer.status_code == 201, answer.text
    return answer.json()


async def dispose(http, letter, to, **more):
    body = {"recipient": to, "recipient_name": to.title(), "instruction": "Tindak lanjuti"} | more
    return await http.post(
        f"/v1/incoming-letters/{letter['id']}/dispositions", json=body, headers=key()
    )


async def test_a_letter_gets_the_next_agenda_number(office, wanted, letter):
    second = (await office.post("/v1/incoming-letters", json=wanted, headers=key())).json()
    assert (letter["agenda"], second["agenda"]) == ("1/2026", "2/2026")
    register = {"book": "agenda-masuk", "year": 2026}
    rows = (await office.get("/v1/numbers", params=register)).json()["items"]
    assert [(row["text"], row["state"]) for row in rows] == [
        ("1/2026", "issued"),
        ("2/2026", "issued"),
    ]


async def test_only_the_office_registers(person, wanted):
    answer = await person("staf").post("/v1/incoming-letters", json=wanted, headers=key())
    assert answer.status_code == 403


async def test_a_scan_of_another_agency_is_refused(client_of, office, wanted):
    other = client_of(system("ID-BB/GOV/dinkes/surat", "archive.write"))
    answer = await other.post("/v1/incoming-letters", json=wanted, headers=key())
    assert answer.status_code == 404
    await office.post(f"/v1/records/{wanted['record_id']}/declaration")
    public = await other.post("/v1/incoming-letters", json=wanted, headers=key())
    assert public.status_code == 422
    assert public.json()["errors"][0]["pointer"] == "/record_id"


async def test_a_letter_opens_only_through_a_live_disposition(person, letter):
    staff, address = person("staf"), f"/v1/incoming-letters/{letter['id']}"
    for path in (address, f"{address}/content", f"{address}/dispositions"):
        assert (await staff.get(path)).status_code == 404
    assert (await staff.get("/v1/incoming-letters")).json()["items"] == []

    sent = (await dispose(person("kepala"), letter, "staf")).json()
    assert (await staff.get(address)).status_code == 200

    await person("kepala").post(f"/v1/dispositions/{sent['id']}/recall")
    for path in (address, f"{address}/content"):
        assert (await staff.get(path)).status_code == 404


async def test_what_its_recipient_has_opened_or_passed_on_is_not_recalled(person, letter):
    opened = (await dispose(person("kepala"), letter, "staf")).json()
    content = await person("staf").get(f"/v1/incoming-letters/{letter['id']}/content")
    assert content.content == SCAN
    passed_on = (await dispose(person("kepala"), letter, "kabid")).json()
    await dispose(person("kabid"), letter, "arsiparis", parent_id=passed_on["id"])
    for one in (opened, passed_on):
        recalled = await person("kepala").post(f"/v1/dispositions/{one['id']}/recall")
        assert recalled.status_code == 409


async def test_the_office_has_only_the_envelope_of_a_secret_letter(
    person, office, wanted, client_of, database
):
    secret = await scanned(office, security_class="rahasia")
    body = wanted | {"record_id": secret}
    lower = await office.post(
        "/v1/incoming-letters", json=body | {"security_class": "terbatas"}, headers=key()
    )
    assert lower.json()["errors"][0]["pointer"] == "/security_class"
    made = (await office.post("/v1/incoming-letters", json=body, headers=key())).json()
    address = f"/v1/incoming-letters/{made['id']}"
    assert (made["security_class"], made["agenda"]) == ("rahasia", "1/2026")
    assert (made["subject"], made["content_sha256"]) == (None, None)
    await dispose(person("kepala"), made, "staf")
    (listed,) = (await office.get("/v1/incoming-letters")).json()["items"]
    assert (listed["sender"], listed["subject"]) == ("PT Timah", None)
    assert (await office.get(f"{address}/content")).status_code == 403
    assert (await office.get("/v1/dispositions")).json()["items"] == []
    operator = client_of(system("ID-BB/GOV/diskominfo/operasi", "platform.operate"))
    for path in (address, f"{address}/content"):
        assert (await operator.get(path)).status_code == 404
    for name in ("kepala", "staf"):
        assert (await person(name).get(address)).json()["subject"] == wanted["subject"]
        assert (await person(name).get(f"{address}/content")).content == SCAN
    async with database.transaction() as session:
        who = text("SELECT subject FROM opening WHERE what = 'incoming letter' ORDER BY id")
        assert (await session.scalars(who)).all() == ["kepala", "staf"]


async def test_the_head_sees_what_is_overdue_in_its_agency(person, letter, clock, client_of):
    operator = client_of(system("ID-BB/GOV/diskominfo/operasi", "platform.operate"))
    await operator.put("/v1/standings/kadis", json={"agency": "dinsos-pmd", "rank": "head"})
    late = (await dispose(person("kepala"), letter, "staf", deadline="2026-11-25")).json()
    clock.move(timedelta(days=3))
    rows = (await person("kadis").get("/v1/dispositions?overdue=true")).json()["items"]
    assert [row["id"] for row in rows] == [late["id"]]
    assert (await person("kabid").get("/v1/dispositions?overdue=true")).json()["items"] == []


async def test_a_scan_the_office_may_not_open_becomes_no_letter(
    office, person, wanted, client_of, app, asserter
):
    archivist = replace(system(APPLICATION, "archive.write"), kind="person", subject="arsiparis")
    operator = client_of(system("ID-BB/GOV/diskominfo/operasi", "platform.operate"))
    standing = {"agency": "dinsos-pmd", "rank": "staff", "is_archivist": True}
    await operator.put("/v1/standings/arsiparis", json=standing)
    secret = await scanned(office, security_class="rahasia")
    hers = in_process(app, asserter.headers(archivist, "archive"))
    assert (await hers.get(f"/v1/records/{secret}")).status_code == 200
    body = wanted | {"record_id": secret, "addressed_to": "arsiparis"}
    refused = await hers.post("/v1/incoming-letters", json=body, headers=key())
    assert refused.status_code == 403


async def test_an_infected_scan_is_not_given_out_as_a_letter_either(
    office, letter, database, clock
):
    async with database.transaction() as session:
        await examinations.keep_found(
            session,
            sha256=hashlib.sha256(SCAN).hexdigest(),
            found=Found("infected"),
            scan="infected",
            now=clock.now(),
        )
    answer = await office.get(f"/v1/incoming-letters/{letter['id']}/content")
    assert answer.status_code == 409


async def test_a_colleague_of_another_agency_with_the_same_disposition_sees_nothing(person, letter):
    await dispose(person("kepala"), letter, "staf")
    other = person("staf", agency="dinkes")
    assert (await other.get(f"/v1/incoming-letters/{letter['id']}")).status_code == 404


async def test_the_tree_goes_down_two_levels_and_keeps_the_delegation(person, office, letter):
    plt = {"kind": "plt", "of": "Kepala Bidang", "decree": "821/12/2026", "until": "2026-12-31"}
    first = (await dispose(person("kepala"), letter, "kabid")).json()
    second = (
        await dispose(person("kabid"), letter, "staf", parent_id=first["id"], on_behalf=plt)
    ).json()
    tree = (await office.get(f"/v1/incoming-letters/{letter['id']}/dispositions")).json()["items"]
    assert [(one["id"], one["parent_id"]) for one in tree] == [
        (first["id"], None),
        (second["id"], first["id"]),
    ]
    assert tree[1]["on_behalf"] == plt


@pytest.mark.parametrize(
    ("sender", "more", "status"),
    [
        ("staf", {}, 404),
        ("kabid", {}, 403),
        ("kepala", {"recipient": "kepala"}, 422),
        ("kepala", {"deadline": "2026-11-23"}, 422),
        ("kepala", {"parent_id": str(uuid7())}, 422),
        (
            "kepala",
            {"on_behalf": {"kind": "plh", "of": "x", "decree": "y", "until": "2026-11-23"}},
            422,
        ),
    ],
)
async def test_who_does_not_hold_the_letter_or_errs_is_refused(
    person, letter, sender, more, status
):
    await dispose(person("kepala"), letter, "kabid")
    answer = await dispose(person(sender), letter, "arsiparis", **more)
    assert answer.status_code == status


async def test_only_what_nobody_has_read_is_recalled(person, letter):
    sent = (await dispose(person("kepala"), letter, "staf")).json()
    address = f"/v1/dispositions/{sent['id']}"
    assert (await person("staf").post(f"{address}/recall")).status_code == 403
    read = await person("staf").post(f"{address}/reading")
    assert (read.json()["state"], read.json()["read_at"] is None) == ("read", False)
    refused = await person("kepala").post(f"{address}/recall")
    assert refused.status_code == 409
    assert "not recalled" in refused.json()["detail"]


async def test_a_disposition_is_followed_up_and_finished_by_its_recipient_once(person, letter):
    sent = (await dispose(person("kepala"), letter, "staf")).json()
    address, done = f"/v1/dispositions/{sent['id']}", {"outcome": "Audiensi dijadwalkan"}
    assert (await person("kepala").post(f"{address}/completion", json=done)).status_code == 403
    await person("staf").post(f"{address}/follow-up")
    again = (await person("staf").post(f"{address}/reading")).json()
    assert again["state"] == "followed_up"
    unknown = done | {"answer_id": str(uuid7())}
    assert (await person("staf").post(f"{address}/completion", json=done)).json()["state"] == "done"
    assert (await person("staf").post(f"{address}/completion", json=unknown)).status_code == 409
    passed_on = await dispose(person("staf"), letter, "arsiparis", parent_id=sent["id"])
    assert passed_on.status_code == 409


async def test_what_is_overdue_is_shown_to_the_office(person, office, letter, clock, client_of):
    late = (await dispose(person("kepala"), letter, "staf", deadline="2026-11-25")).json()
    await dispose(person("kepala"), letter, "kabid", deadline="2026-12-25")
    assert (await office.get("/v1/dispositions?overdue=true")).json()["items"] == []
    clock.move(timedelta(days=3))
    office = client_of(system(APPLICATION, "archive.write"))
    rows = (await office.get("/v1/dispositions?overdue=true")).json()["items"]
    assert [row["id"] for row in rows] == [late["id"]]
    assert (await person("orang-lain").get("/v1/dispositions")).json()["items"] == []


async def found(http, words):
    answer = await http.get("/v1/incoming-letters", params={"q": words})
    assert answer.status_code == 200, answer.text
    return [one["letter_number"] for one in answer.json()["items"]]


async def test_a_letter_is_found_in_the_agenda_by_words_and_parts_of_them(office, wanted, letter):
    other = wanted | {
        "letter_number": "8/KOP/2026",
        "sender": "Koperasi 100%",
        "subject": "Bantuan",
    }
    await office.post("/v1/incoming-letters", json=other, headers=key())
    for words, numbers in {
        "timah": ["77/PT/2026"],
        "AUDIENSI 77/pt": ["77/PT/2026"],
        "/2026": ["8/KOP/2026", "77/PT/2026"],
        "100%": ["8/KOP/2026"],
        "1/2026": ["77/PT/2026"],
        "a%i": [],
        "timah bantuan": [],
    }.items():
        assert await found(office, words) == numbers, words
    for words in ("x", "x" * 201, "a\x00b"):
        refused = await office.get("/v1/incoming-letters", params={"q": words})
        assert refused.status_code == 422


async def test_an_envelope_is_not_found_by_the_subject_inside(person, office, wanted):
    secret = wanted | {"record_id": await scanned(office, security_class="rahasia")}
    await office.post("/v1/incoming-letters", json=secret, headers=key())
    assert await found(office, "audiensi") == []
    assert await found(office, "timah audiensi") == []
    assert await found(office, "timah") == ["77/PT/2026"]
    assert await found(person("kepala"), "timah audiensi") == ["77/PT/2026"]
    assert await found(person("staf"), "timah") == []
