"""Signing at a remote service in the shape of BSrE's eSign, against a stand-in."""

import logging
from pathlib import Path

import pytest
from pydantic import ValidationError
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing import remote_signer
from sebalai_archive.signing.choosing import signer_of
from sebalai_archive.signing.outside import outside_client
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process, system
from sqlalchemy import text

NIK, OTHER_NIK = "9999990101900001", "9999990101900002"  # no region has the number 99
PASSPHRASE = "rahasia sekali 9#"
AGENCY = "ID-BB/GOV/dinsos-pmd/"
TYPE = "urn:sebalai:problem:"
TEMPLATE = {
    "letter_type": "surat_dinas", "book": "keluar", "valid_from": "2026-11-24",
    "pattern": "{klasifikasi}/{nomor:3}/{unit}/{bulan_romawi}/{tahun}",
}  # fmt: skip


@pytest.fixture
async def esign(stand_in, listening, timestamps):
    module = stand_in("esign")
    service = module.Esign("sebalai", "rahasia-uji")
    service.enrol(NIK, PASSPHRASE, timestamps.issue_signer("Sari"))
    async with listening(module.esign_app(service)) as url:
        service.url = url
        yield service
        service.slow = False


@pytest.fixture
def settings(settings, timestamps, esign):
    changed = ArchiveSettings(
        esign_url=esign.url, esign_user="sebalai", esign_password="rahasia-uji",
        signing_trust_file=timestamps.folder / "root.pem", private_systems="127.0.0.1",
    )  # fmt: skip
    names = {"esign_url", "esign_user", "esign_password", "signing_trust_file", "private_systems"}
    return settings.model_copy(update={name: getattr(changed, name) for name in names})


class Office:
    """One who drafts and one who signs, and a letter that waits for its signature."""

    def __init__(self, app, asserter):
        callers = [system(AGENCY + name, "archive.write") for name in ("konsep", "kepala")]
        self.signer = callers[1].subject
        self.konsep, self.kepala = (
            in_process(app, asserter.headers(caller, "archive")) for caller in callers
        )

    async def prepare(self):
        key = {"idempotency-key": str(uuid7())}
        await self.konsep.post("/v1/number-templates", json=TEMPLATE, headers=key)
        wanted = {
            "letter_type": "surat_dinas", "classification": "000.1.5", "subject": "Undangan",
            "unit": "DINSOS", "addressees": [{"name": "Kepala Dinas"}], "paragraphs": ["Hormat."],
            "signer": {"subject": self.signer, "name": "Sari", "position": "Kepala"},
        }  # fmt: skip
        key = {"idempotency-key": str(uuid7())}
        letter = (await self.konsep.post("/v1/outgoing-letters", json=wanted, headers=key)).json()
        self.path = f"/v1/outgoing-letters/{letter['id']}"
        await self.konsep.post(f"{self.path}/submission")

    async def sign(self, nik=NIK, passphrase=PASSPHRASE):
        body = {"nik": nik, "passphrase": passphrase}
        return await self.kepala.post(f"{self.path}/signature", json=body)

    async def numbers(self):
        asked = {"book": "keluar", "year": 2026}
        rows = (await self.konsep.get("/v1/numbers", params=asked)).json()["items"]
        return [(row["n"], row["state"]) for row in rows]


@pytest.fixture
async def office(app, asserter):
    made = Office(app, asserter)
    await made.prepare()
    return made


async def test_a_letter_is_signed_by_the_person_who_consents(office, esign):
    signed = (await office.sign()).json()
    assert (signed["state"], esign.asked) == ("signed", 1)
    record = await office.konsep.get(f"/v1/records/{signed['record_id']}/content")
    assert record.content == esign.signed[0]
    assert await office.numbers() == [(1, "issued")]


@pytest.mark.parametrize(
    ("fault", "status", "slug"),
    [
        ("wrong", 403, "passphrase-wrong"),
        ("locked", 403, "signer-locked"),
        ("ended", 409, "certificate-ended"),
        ("unknown", 403, "signer-unknown"),
        ("down", 503, "signing-unavailable"),
        ("other", 503, "signing-unavailable"),
        ("untrusted", 503, "signing-unavailable"),
    ],
)
async def test_each_failure_is_told_apart_and_the_next_try_keeps_the_number(
    office, esign, stand_in, fault, status, slug
):
    nik, passphrase = NIK, PASSPHRASE
    if fault == "wrong":
        passphrase = "salah"
    elif fault == "locked":
        esign.wrong[NIK] = 3
    elif fault == "ended":
        esign.ended.add(NIK)
    elif fault == "unknown":
        nik = OTHER_NIK
    elif fault in {"down", "other"}:
        setattr(esign, fault, True)
    else:
        trusted = esign.people[NIK]
        esign.enrol(NIK, PASSPHRASE, foreign(stand_in, trusted[1][0].parent))
    refused = await office.sign(nik, passphrase)
    assert (refused.status_code, refused.json()["type"]) == (status, TYPE + slug)
    assert await office.numbers() == [(1, "reserved")]

    esign.wrong.clear()
    esign.ended.clear()
    esign.down = esign.other = False
    if fault == "untrusted":
        esign.people[NIK] = trusted
    signed = (await office.sign()).json()
    assert signed["number"] == "000.1.5/001/DINSOS/XI/2026"
    assert await office.numbers() == [(1, "issued")]


def foreign(stand_in, folder):
    """A signer of an authority that nobody here trusts."""
    other = folder / "other"
    other.mkdir()
    authority = stand_in("timestamp_authority").Authority(other)
    authority.open("http://127.0.0.1:9")
    return authority.issue_signer()


async def test_a_service_that_signs_and_never_answers_leaves_one_letter_and_one_number(
    office, esign, app, settings
):
    client = outside_client(settings, read_seconds=0.3)
    whole, app.state.signer = app.state.signer, signer_of(settings, client)
    esign.slow = True
    refused = await office.sign()
    assert (refused.status_code, refused.json()["type"]) == (503, TYPE + "signing-unavailable")
    assert "did not answer in time" in refused.json()["detail"]
    esign.slow, app.state.signer = False, whole
    signed = (await office.sign()).json()
    await client.aclose()
    assert len(esign.signed) == 2
    record = await office.konsep.get(f"/v1/records/{signed['record_id']}/content")
    assert record.content == esign.signed[1]
    assert await office.numbers() == [(1, "issued")]
    assert (await office.sign()).status_code == 409
    assert len(esign.signed) == 2


async def test_nobody_keeps_or_tells_the_passphrase_or_the_nik(
    office, esign, database, settings, caplog
):
    with caplog.at_level(logging.DEBUG):
        answers = [await office.sign(passphrase="salah besar 7!"), await office.sign()]
        answers.append(await office.kepala.post(f"{office.path}/signature", json={"nik": NIK}))
        answers.append(await office.sign(nik="9999990101"))
    told = caplog.text + "".join(one.text + str(one.headers) for one in answers)
    async with database.transaction() as session:
        tables = (await session.scalars(text(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))).all()  # fmt: skip
        for table in tables:
            rows = (await session.scalars(text(f'SELECT t::text FROM "{table}" t'))).all()  # noqa: S608
            told += "".join(rows)
    files = [one for one in Path(settings.content_dir).rglob("*") if one.is_file()]
    told += "".join(one.read_bytes().decode("latin-1") for one in files)
    assert len(told) > 10_000
    for secret in (PASSPHRASE, "salah besar 7!", NIK, "9999990101"):
        assert secret not in told
    assert [one.status_code for one in answers] == [403, 200, 422, 422]


async def test_without_a_passphrase_the_service_is_not_asked(office, esign):
    refused = await office.kepala.post(f"{office.path}/signature")
    assert (refused.status_code, esign.asked) == (422, 0)
    assert refused.json()["errors"][0]["pointer"] == "/passphrase"


def test_a_password_for_the_service_goes_over_tls_only():
    whole = {"esign_user": "x", "esign_password": "y", "signing_trust_file": "root.pem"}
    with pytest.raises(ValidationError, match="only over https"):
        ArchiveSettings(esign_url="http://esign.example", **whole)
    with pytest.raises(ValidationError, match="esign_url needs"):
        ArchiveSettings(esign_url="https://esign.example")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"error": 7, "status_code": "x"}', b"\xff"]
)
def test_a_refusal_that_cannot_be_read_is_still_told(body):
    assert remote_signer._refused(400, body).slug == "signing-unavailable"
