import hashlib
import io
import json
import zipfile
from xml.etree import ElementTree as ET

import pytest
from sebalai_shared.ids import uuid7

from services.archive.tests.records.conftest import Desk


def key():
    return {"idempotency-key": str(uuid7())}


@pytest.fixture
async def file_unit(writer):
    wanted = {"number": "B-1/2026", "title": "Rapat 2026", "classification": "000.1.5"}
    answer = await writer.post("/v1/file-units", json=wanted, headers=key())
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.fixture
def keep(writer):
    async def make(content=b"isi notula\n" * 100, client=writer, **more):
        desk = Desk(client)
        record_id = await desk.draft(**more)
        assert (await desk.put(record_id, content)).status_code == 200
        assert (await desk.declare(record_id)).status_code == 200
        return record_id

    return make


async def exported(client, status=200, **named):
    answer = await client.get("/v1/packages", params=named)
    assert answer.status_code == status, answer.text[:500]
    return answer.content


async def sent(client, content):
    return await client.post(
        "/v1/packages", content=content, headers={"content-type": "application/zip"}
    )


def unpacked(content, folder):
    """The bag's folder on disk."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
        return folder / archive.namelist()[0].split("/")[0]


class Forged:
    """A bag taken apart, to be put together otherwise; manifests are made anew unless kept."""

    def __init__(self, content):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.files = {info.filename: archive.read(info) for info in archive.infolist()}
        self.top = next(iter(self.files)).split("/")[0]
        self.infos = {}

    def path(self, ending):
        [found] = [name for name in self.files if name.endswith(ending)]
        return found

    def change(self, ending, content):
        self.files[self.path(ending)] = content

    def facts(self, **more):
        path = self.path("/record.json")
        self.files[path] = json.dumps(json.loads(self.files[path]) | more).encode()

    def rehash(self):
        """Makes METS and the manifests agree with the files again."""
        for name in [one for one in self.files if one.endswith("/METS.xml")]:
            self.files[name] = self._mets(name)
        payload = {n: c for n, c in self.files.items() if n.startswith(f"{self.top}/data/")}
        lines = [
            f"{hashlib.sha256(c).hexdigest()}  {n.partition('/')[2]}" for n, c in payload.items()
        ]
        self.files[f"{self.top}/manifest-sha256.txt"] = "\n".join(lines).encode() + b"\n"
        self.files.pop(f"{self.top}/tagmanifest-sha256.txt", None)
        self.files.pop(f"{self.top}/bag-info.txt", None)
        return self

    def _mets(self, name):
        root = ET.fromstring(self.files[name])  # noqa: S314 - our own
        href = "{http://www.w3.org/1999/xlink}href"
        for one in root.iter():
            place = one.get(href) or next((c.get(href) for c in one if c.get(href)), None)
            if one.get("CHECKSUM") and place:
                content = self.files[name.removesuffix("METS.xml") + place]
                one.set("CHECKSUM", hashlib.sha256(content).hexdigest())
        return ET.tostring(root)

    def zip(self, method=zipfile.ZIP_STORED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, content in self.files.items():
                info = self.infos.get(name) or zipfile.ZipInfo(name)
                info.compress_type = method
                archive.writestr(info, content)
        return out.getvalue()
