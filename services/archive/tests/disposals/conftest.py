"""Six people of two agencies and a desk that takes a disposal through its steps."""

import base64
import hashlib

import pytest
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system

AGENCY = "dinsos-pmd"
PEOPLE = {
    "reviewer": "p-reviewer",
    "approver": "p-approver",
    "executor": "p-executor",
    "witness_legal": "p-hukum",
    "witness_supervision": "p-inspektorat",
}
SLOTS = {
    "appraise": ["sk_panitia", "daftar_usul", "surat_pertimbangan"],
    "request": ["nota_dinas"],
    "approve": ["persetujuan"],
    "decree": ["sk_penetapan"],
    "execute": [],
    "minute": ["berita_acara"],
    "report": ["laporan"],
}
PART = {
    "appraise": "reviewer",
    "request": "proposer",
    "approve": "approver",
    "decree": "approver",
    "execute": "executor",
    "minute": "executor",
    "report": "proposer",
}


def key():
    return {"idempotency-key": str(uuid7())}


class Panel:
    def __init__(self, client_of, operator):
        self.client_of, self.operator, self.evidence_id = client_of, operator, None
        self.desk = client_of(system(f"ID-BB/GOV/{AGENCY}/bansos", "archive.write"))
        self.clients = {"proposer": self.desk}

    async def seat(self):
        for part, subject in PEOPLE.items():
            agency = "inspektorat" if part == "witness_supervision" else AGENCY
            standing = {"agency": agency, "rank": "head"}
            await self.operator.put(f"/v1/standings/{subject}", json=standing)
            caller = Caller(kind="civil_servant", subject=subject, agency=agency)
            self.clients[part] = self.client_of(caller)
        self.evidence_id = await self.record("800.1.1.1", "2026-01-01", b"bukti")

    async def record(self, code, trigger_date, content=None, **more):
        content = str(uuid7()).encode() if content is None else content
        draft = {"title": "Arsip", "classification": code} | more
        made = await self.desk.post("/v1/records", json=draft, headers=key())
        record_id = made.json()["id"]
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        await self.desk.put(
            f"/v1/records/{record_id}/content",
            content=content,
            headers={"content-digest": f"sha-256=:{digest}:"},
        )
        declared = await self.desk.post(
            f"/v1/records/{record_id}/declaration", json={"trigger_date": trigger_date}
        )
        assert declared.status_code == 200, declared.text
        return record_id

    async def open(self, *records, kind="destruction"):
        wanted = {"kind": kind, "records": list(records), "people": PEOPLE}
        return await self.desk.post("/v1/disposals", json=wanted, headers=key())

    async def step(self, disposal_id, name, part=None, **more):
        body = {"evidence": dict.fromkeys(SLOTS[name], self.evidence_id)} | more
        client = self.clients[part or PART[name]]
        return await client.put(f"/v1/disposals/{disposal_id}/steps/{name}", json=body)

    async def present(self, disposal_id, part):
        return await self.clients[part].put(f"/v1/disposals/{disposal_id}/presence")

    async def decreed(self, *records, authority="governor"):
        disposal_id = (await self.open(*records)).json()["id"]
        for name in ("appraise", "request", "approve", "decree"):
            more = {"authority": authority} if name == "approve" else {}
            answer = await self.step(disposal_id, name, **more)
            assert answer.status_code == 200, answer.text
        for part in ("witness_legal", "witness_supervision"):
            assert (await self.present(disposal_id, part)).status_code == 200
        return disposal_id


@pytest.fixture
def operator(client_of):
    return client_of(system("ID-BB/GOV/diskominfo/operasi", "platform.operate"))


@pytest.fixture
async def panel(client_of, operator):
    made = Panel(client_of, operator)
    await made.seat()
    return made
