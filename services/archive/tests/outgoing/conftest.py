"""A letter in the hands of the people it passes through."""

import pytest
from sebalai_archive.signing import trial_authority
from sebalai_shared.clock import SystemClock
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process, system
from sqlalchemy import text

AGENCY = "ID-BB/GOV/dinsos-pmd/"
TEMPLATE = {
    "letter_type": "surat_dinas",
    "book": "keluar",
    "pattern": "{klasifikasi}/{nomor:3}/{unit}/{bulan_romawi}/{tahun}",
    "valid_from": "2026-11-24",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    files = [folder / name for name in ("key.pem", "chain.pem", "root.pem")]
    trial_authority.write(*files, SystemClock().now())
    return files


@pytest.fixture
def settings(settings, authority):
    key, chain, _ = authority
    return settings.model_copy(update={"signing_key_file": key, "signing_certificates_file": chain})


def key():
    return {"idempotency-key": str(uuid7())}


class Person:
    """One person of the agency, by the application that stands for it here."""

    def __init__(self, app, asserter, name):
        caller = system(AGENCY + name, "archive.write")
        self.subject = caller.subject
        self.http = in_process(app, asserter.headers(caller, "archive"))

    async def act(self, letter, step, **body):
        return await self.http.post(
            f"/v1/outgoing-letters/{letter['id']}/{step}", json=body or None
        )


@pytest.fixture
def people(app, asserter):
    return {name: Person(app, asserter, name) for name in ("konsep", "paraf1", "paraf2", "kepala")}


@pytest.fixture
def wanted(people):
    return {
        "letter_type": "surat_dinas",
        "classification": "000.1.5",
        "subject": "Undangan rapat koordinasi",
        "unit": "DINSOS",
        "addressees": [{"name": "Kepala Dinas Kesehatan", "agency": "dinkes"}],
        "paragraphs": ["Dengan hormat, kami mengundang Saudara."],
        "verifiers": [people["paraf1"].subject, people["paraf2"].subject],
        "signer": {
            "subject": people["kepala"].subject,
            "name": "Sari",
            "position": "Kepala Dinas Sosial",
            "on_behalf": "plt",
        },
    }


@pytest.fixture
async def draft(people, wanted):
    http = people["konsep"].http
    await http.post("/v1/number-templates", json=TEMPLATE, headers=key())
    answer = await http.post(
        "/v1/outgoing-letters", json=wanted, headers={"idempotency-key": str(uuid7())}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
async def verified(people, draft):
    await people["konsep"].act(draft, "submission")
    await people["paraf1"].act(draft, "paraf")
    return (await people["paraf2"].act(draft, "paraf")).json()


@pytest.fixture
def register(people):
    """The numbers of the book and their states, in order."""

    async def rows():
        asked = {"book": "keluar", "year": 2026}
        found = await people["konsep"].http.get("/v1/numbers", params=asked)
        return [(row["n"], row["state"]) for row in found.json()["items"]]

    return rows


@pytest.fixture
def template():
    return TEMPLATE


# As a finished disposal leaves a record behind.
DESTROYED = """
  WITH made AS (INSERT INTO disposal (id, agency, kind, state, proposer, reviewer, approver, executor,
    witness_legal, witness_supervision, created_at)
    VALUES (gen_random_uuid(), 'dinsos-pmd', 'destruction', 'executed', 'a', 'b', 'c', 'd', 'e', 'f', :at)
    RETURNING id)
  INSERT INTO tombstone (record_id, disposal_id, at, sha256)
  SELECT r.id, made.id, :at, l.content_sha256 FROM made, outgoing_letter l,
    (SELECT CAST(:record AS uuid) AS id) r WHERE l.record_id = r.id
"""


@pytest.fixture
def destroy(database, clock):
    async def leave_behind(record_id):
        async with database.transaction() as session:
            await session.execute(text(DESTROYED), {"record": record_id, "at": clock.now()})

    return leave_behind
