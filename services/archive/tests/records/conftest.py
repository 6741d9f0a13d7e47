import base64
import hashlib

import pytest
from sebalai_shared.ids import uuid7

WANTED = {"title": "Notula rapat pimpinan", "classification": "000.1.5"}
CONTENT = b"isi notula\n" * 1_000


def digest_of(content):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


class Desk:
    """One client's way to a declared record."""

    def __init__(self, client):
        self.client = client

    async def draft(self, **more):
        answer = await self.client.post(
            "/v1/records", json=WANTED | more, headers={"idempotency-key": str(uuid7())}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def put(self, record_id, content=CONTENT, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.put(
            f"/v1/records/{record_id}/content",
            content=content,
            headers={"content-digest": digest_of(content), "content-type": "text/plain"} | named,
        )

    async def declare(self, record_id, **wanted):
        return await self.client.post(f"/v1/records/{record_id}/declaration", json=wanted)

    async def declared(self, content=CONTENT, **wanted):
        record_id = await self.draft()
        put = await self.put(record_id, content)
        assert put.status_code == 200, put.text
        answer = await self.declare(record_id, **wanted)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def desk(writer):
    return Desk(writer)
