"""Packages judged by programs of others: bagit, the METS schema, the rules of E-ARK CSIP 2.1.0.

    .venv/bin/python tests/interop/archive_bag.py

Starts its own database and archive; declares records into a file unit, takes the package out and
in again. Schemas and Schematron rules are those that eark-validator ships (its command itself
wants the network for its vocabularies, which lie beside the rules).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import os
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import bagit
import httpx
from lxml import etree, isoschematron
from sebalai_local.engines import Engines

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sebalai_archive.loading import load_reference  # noqa: E402
from sebalai_archive.settings import ArchiveSettings  # noqa: E402
from sebalai_shared.database import Database  # noqa: E402
from sebalai_shared.ids import uuid7  # noqa: E402
from sebalai_shared.reference import ReferenceFolder  # noqa: E402

from services.archive.tests.conftest import owned_database  # noqa: E402
from services.archive.tests.test_crash import Server  # noqa: E402

RECORDS = 20
FOUND = list((ROOT / "tests/interop/.venv").glob("lib/*/site-packages/eark_validator"))
VOCABULARIES = {
    "TYPE": "CSIPVocabularyContentCategory",
    "CONTENTINFORMATIONTYPE": "CSIPVocabularyContentInformationType",
    "OTHERTYPE": "CSIPVocabularyAgentOtherType",
    "OAISPACKAGETYPE": "CSIPVocabularyOAISPackageType",
    "NOTETYPE": "CSIPVocabularyNoteType",
    "STATUS": "CSIPVocabularyStatus",
}


class Desk:
    def __init__(self, server: Server) -> None:
        self._server = server

    def call(self, method: str, path: str, **more: object) -> httpx.Response:
        headers = self._server.headers(idempotency_key=str(uuid7())) | more.pop("headers", {})
        answer = httpx.request(
            method, self._server.address + path, headers=headers, timeout=60, **more
        )
        assert answer.status_code < 300, answer.text
        return answer

    def keep(self, content: bytes, **wanted: object) -> str:
        made = self.call("POST", "/v1/records", json={"classification": "000.1.5"} | wanted)
        path = f"/v1/records/{made.json()['id']}"
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        told = {"content-digest": f"sha-256=:{digest}:", "content-type": "text/plain"}
        self.call("PUT", f"{path}/content", content=content, headers=told)
        self.call("POST", f"{path}/declaration")
        return str(made.json()["id"])


def packed(desk: Desk) -> bytes:
    wanted = {"number": "B-7/2026", "title": "Rapat & undangan", "classification": "000.1.5"}
    unit = desk.call("POST", "/v1/file-units", json=wanted).json()["id"]
    for number in range(RECORDS):
        desk.keep(os.urandom(1_000 * number), title=f"Notula <{number}>", file_unit=unit,
                  filename=f"notula {number}%.txt", description="satu\ndua")  # fmt: skip
    return desk.call("GET", f"/v1/packages?file_unit={unit}").content


def by_bagit(content: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    [top] = list(folder.iterdir())
    bag = bagit.Bag(str(top))
    bag.validate(fast=False)
    print(f"bagit: valid, {len(bag.payload_entries())} files of payload")
    spoiled = next(top.glob("data/*/representations/rep1/data/*"))
    kept = spoiled.read_bytes()
    spoiled.write_bytes(kept + b" ")
    try:
        bagit.Bag(str(top)).validate(fast=False)
    except bagit.BagValidationError:
        print("bagit: a byte more is refused")
    else:
        raise AssertionError("bagit passed a spoiled bag")
    spoiled.write_bytes(kept)
    return top


def schema_of(resources: Path) -> etree.XMLSchema:
    """METS with the extension of CSIP; what the schemas import lies beside them."""
    folder = resources / "schema"
    both = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
      <xs:import namespace="http://www.loc.gov/METS/" schemaLocation="{folder}/mets.csip.local.v2-0.xsd"/>
      <xs:import namespace="https://DILCIS.eu/XML/METS/CSIPExtensionMETS"
        schemaLocation="{folder}/DILCISExtensionMETS.xsd"/></xs:schema>"""
    return etree.XMLSchema(etree.fromstring(both.encode(), base_url=f"{folder}/both.xsd"))


def vocabulary(resources: Path, name: str) -> list[str]:
    tree = etree.parse(resources / "vocabs" / f"{name}.xml")
    return [one.text.strip() for one in tree.iter("{*}Term") if one.get("lang") == "en"]


def rules_of(resources: Path) -> list[tuple[str, isoschematron.Schematron]]:
    """Rules of severity ERROR and WARN, with the terms of their vocabularies filled in."""
    found = []
    for file in sorted((resources / "schematron/V2.1.0/CSIP").glob("mets_*_rules.xml")):
        text = file.read_text(encoding="utf-8")
        for attribute, name in VOCABULARIES.items():
            terms = " or ".join(
                f"@{prefix}{attribute} = '{term}'"
                for term in vocabulary(resources, name)
                for prefix in ("", "csip:")
            )
            text = re.sub(rf"@(csip:)?{attribute}_vocabulary_test", terms, text)
        text = text.replace("@MIMETYPE_IANA_test", "contains(@MIMETYPE, '/')")
        assert "_test" not in re.sub("test=", "", text), file.name
        rules = isoschematron.Schematron(etree.fromstring(text.encode()), store_report=True)
        found.append((file.stem, rules))
    return found


def by_eark(top: Path, resources: Path) -> None:
    schema, rules = schema_of(resources), rules_of(resources)
    documents = sorted(top.glob("data/*/METS.xml"))
    assert len(documents) == RECORDS
    warned: set[str] = set()
    for path in documents:
        tree = etree.parse(path)
        schema.assertValid(tree)
        for name, rule in rules:
            rule.validate(tree)
            for one in rule.validation_report.iter("{*}failed-assert"):
                assert one.get("role") != "ERROR", (name, one.get("id"), one[0].text)
                warned.add(str(one.get("id")))
    print(f"mets.xsd: {len(documents)} documents valid")
    print(f"E-ARK CSIP 2.1.0 rules: {len(rules)} sets, no error; warnings: {sorted(warned)}")


def taken_in_again(desk: Desk, content: bytes) -> None:
    headers = {"content-type": "application/zip"}
    for is_new in (True, False):
        made = desk.call("POST", "/v1/packages", content=content, headers=headers).json()
        assert [one["is_new"] for one in made["records"]] == [is_new] * RECORDS
    for one in made["records"]:
        source, draft = (
            desk.call("GET", f"/v1/records/{one[name]}").json() for name in ("source", "record")
        )
        same = ("title", "description", "classification", "dated", "file_unit", "security_class")
        assert {name: source[name] for name in same} == {name: draft[name] for name in same}
        assert source["content"]["sha256"] == draft["content"]["sha256"]
    print(f"round trip: {RECORDS} records came back as drafts; again, nothing new")


async def prepared(url: str) -> None:
    database = Database(ArchiveSettings(database_url=url))
    await load_reference(database, ReferenceFolder(ROOT / "deploy/reference"))
    await database.close()


def judge(admin_url: str, folder: Path) -> None:
    url = asyncio.run(owned_database(admin_url, "archive_bag"))
    asyncio.run(prepared(url))
    server = Server(url, folder)
    server.start()
    try:
        desk = Desk(server)
        content = packed(desk)
        top = by_bagit(content, folder / "bag")
        by_eark(top, FOUND[0] / "ipxml/resources")
        taken_in_again(desk, content)
    finally:
        server.kill()


def main() -> int:
    if not FOUND:
        print("archive_bag.py: NOT JUDGED; run tests/interop/run.sh, which installs eark-validator")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="sebalai-bag-"))
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=False) as engines:
            judge(engines.addresses.postgres_admin_url, folder)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
