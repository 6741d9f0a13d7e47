"""PREMIS 3: what the object is, by its digest and format, and what happened to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from sebalai_archive.describing.mets import moment
from sebalai_archive.describing.xml import XSI, Names, located

PREMIS = Names("premis", "http://www.loc.gov/premis/v3")
SCHEMA = "https://www.loc.gov/standards/premis/premis.xsd"
PRONOM = "http://www.nationalarchives.gov.uk/pronom"


@dataclass(frozen=True, slots=True)
class PreservedFile:
    """`puid` is the PRONOM identifier, where the format was recognised."""

    identifier: str
    name: str
    sha256: str
    size: int
    media_type: str
    puid: str | None


@dataclass(frozen=True, slots=True)
class Happened:
    """`kind` is a term of the PREMIS event type vocabulary; `by` an agent's identifier."""

    identifier: str
    kind: str
    at: datetime
    detail: str
    by: str


def premis(record: str, file: PreservedFile, events: Sequence[Happened]) -> Element:
    root = PREMIS.root("premis", version="3.0")
    located(root, PREMIS.uri, SCHEMA)
    whole = PREMIS.add(root, "object", attributes=_kind("intellectualEntity"))
    _identifier(whole, "object", record)
    _file(root, record, file)
    for event in events:
        _event(root, event, file.identifier)
    for agent in sorted({event.by for event in events}):
        made = PREMIS.add(root, "agent")
        _identifier(made, "agent", agent)
        PREMIS.add(made, "agentType", "organization")
    return root


def _kind(name: str) -> dict[str, str]:
    return {f"{{{XSI}}}type": f"premis:{name}"}


def _identifier(parent: Element, of: str, value: str) -> None:
    made = PREMIS.add(parent, f"{of}Identifier")
    PREMIS.add(made, f"{of}IdentifierType", "URI")
    PREMIS.add(made, f"{of}IdentifierValue", value)


def _file(root: Element, record: str, file: PreservedFile) -> None:
    made = PREMIS.add(root, "object", attributes=_kind("file"))
    _identifier(made, "object", file.identifier)
    facts = PREMIS.add(made, "objectCharacteristics")
    fixity = PREMIS.add(facts, "fixity")
    PREMIS.add(fixity, "messageDigestAlgorithm", "SHA-256")
    PREMIS.add(fixity, "messageDigest", file.sha256)
    PREMIS.add(facts, "size", str(file.size))
    _format(facts, file)
    PREMIS.add(made, "originalName", file.name)
    part = PREMIS.add(made, "relationship")
    PREMIS.add(part, "relationshipType", "structural")
    PREMIS.add(part, "relationshipSubType", "represents")
    other = PREMIS.add(part, "relatedObjectIdentifier")
    PREMIS.add(other, "relatedObjectIdentifierType", "URI")
    PREMIS.add(other, "relatedObjectIdentifierValue", record)


def _format(facts: Element, file: PreservedFile) -> None:
    made = PREMIS.add(facts, "format")
    PREMIS.add(PREMIS.add(made, "formatDesignation"), "formatName", file.media_type)
    if file.puid:
        registry = PREMIS.add(made, "formatRegistry")
        PREMIS.add(registry, "formatRegistryName", PRONOM)
        PREMIS.add(registry, "formatRegistryKey", file.puid)


def _event(root: Element, event: Happened, object_id: str) -> None:
    made = PREMIS.add(root, "event")
    _identifier(made, "event", event.identifier)
    PREMIS.add(made, "eventType", event.kind)
    PREMIS.add(made, "eventDateTime", moment(event.at))
    detail = PREMIS.add(made, "eventDetailInformation")
    PREMIS.add(detail, "eventDetail", event.detail)
    for of, value in (("Agent", event.by), ("Object", object_id)):
        link = PREMIS.add(made, f"linking{of}Identifier")
        PREMIS.add(link, f"linking{of}IdentifierType", "URI")
        PREMIS.add(link, f"linking{of}IdentifierValue", value)
