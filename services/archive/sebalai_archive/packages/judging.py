"""A sound bag as records: each CSIP folder with its facts, its METS and, where told, its proof."""

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from pydantic import ValidationError

from sebalai_archive.describing.mets import METS
from sebalai_archive.describing.xml import XLINK
from sebalai_archive.packages.bag_reading import Bag, BagRefused
from sebalai_archive.packages.composing import FACTS, METS_FILE
from sebalai_archive.packages.facts import ProofFacts, RecordFacts

RECORDS_MAX = 500
_HREF = f"{{{XLINK}}}href"
_FILE = f"{{{METS.uri}}}file"
_LOCATION = f"{{{METS.uri}}}FLocat"
_REFERENCE = f"{{{METS.uri}}}mdRef"


@dataclass(frozen=True, slots=True)
class Packaged:
    """`path` is where in the bag the content is."""

    facts: RecordFacts
    path: str


def records_in(bag: Bag) -> list[Packaged]:
    """Every record of the bag, each checked as a whole. Raises BagRefused."""
    folders = [
        path.removesuffix(METS_FILE)
        for path in sorted(bag.payload)
        if re.fullmatch(r"data/([^/]+/)?METS\.xml", path)
    ]
    if not folders:
        raise BagRefused("There is no METS.xml in data/ or in a folder of it.")
    if len(folders) > RECORDS_MAX:
        raise BagRefused(f"At most {RECORDS_MAX} records come in one package.")
    found = [_record(bag, folder) for folder in folders]
    if len({one.facts.source for one in found}) != len(found):
        raise BagRefused("A record stands in it twice.")
    return found


def _record(bag: Bag, folder: str) -> Packaged:
    facts = _facts(bag, folder)
    listed = _mets(bag, folder)
    path = facts.content.path
    if path not in listed or bag.payload.get(folder + path) != facts.content.sha256:
        raise BagRefused(f"{folder}{FACTS} names a content that METS.xml does not.")
    if bag.size(folder + path) != facts.content.bytes:
        raise BagRefused(f"{folder}{path} has not the size that {FACTS} says.")
    if facts.proof is not None:
        _check_proof(facts.proof, facts.content.sha256, folder)
    return Packaged(facts, folder + path)


def _facts(bag: Bag, folder: str) -> RecordFacts:
    try:
        return RecordFacts.model_validate_json(bag.read(folder + FACTS))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise BagRefused(f"{folder}{FACTS}: {place}: {first['msg']}") from error


def _mets(bag: Bag, folder: str) -> set[str]:
    """Paths of the files that METS.xml lists, each with the digest that the bag has too."""
    root = _parsed(bag.read(folder + METS_FILE), folder)
    listed: set[str] = set()
    for element, place in _located(root):
        path = unquote(place)
        is_sha256 = element.get("CHECKSUMTYPE") == "SHA-256"
        if not is_sha256 or bag.payload.get(folder + path) != element.get("CHECKSUM", "").lower():
            raise BagRefused(f"{folder}METS.xml: {path[:200]} is not the file in the bag.")
        listed.add(path)
    return listed


def _located(root: ET.Element) -> list[tuple[ET.Element, str]]:
    """Elements with a checksum, each with the address of its file."""
    files = [(one, one.find(_LOCATION)) for one in root.iter(_FILE)]
    found = [(one, place.get(_HREF, "")) for one, place in files if place is not None]
    return found + [(one, one.get(_HREF, "")) for one in root.iter(_REFERENCE)]


def _parsed(raw: bytes, folder: str) -> ET.Element:
    """Only UTF-8 without a document type: entities are how XML does harm."""
    try:
        text = raw.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise BagRefused(f"{folder}METS.xml has a document type; leave it out.")
        return ET.fromstring(text)  # noqa: S314
    except (UnicodeDecodeError, ET.ParseError, ValueError) as error:
        raise BagRefused(f"{folder}METS.xml is no XML in UTF-8.") from error


def _check_proof(proof: ProofFacts, sha256: str, folder: str) -> None:
    try:
        salted = bytes.fromhex(proof.salt) + proof.statement.encode()
    except ValueError as error:
        raise BagRefused(f"{folder}{FACTS}: proof/salt is not hex.") from error
    if hashlib.sha256(salted).hexdigest() != proof.commitment or sha256 not in proof.statement:
        raise BagRefused(f"{folder}{FACTS}: the proof does not prove this content.")
