"""METS 1.12 by the rules of E-ARK CSIP 2.1.0: a package, its metadata, its files by digest.

https://earkcsip.dilcis.eu/: the requirement numbers are in the test table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from xml.etree.ElementTree import Element

from sebalai_archive.describing.xml import XLINK, Names, located

METS = Names("mets", "http://www.loc.gov/METS/")
CSIP = Names("csip", "https://DILCIS.eu/XML/METS/CSIPExtensionMETS")
PROFILE = "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP-v2-1-0.xml"
SCHEMAS = (
    METS.uri,
    "http://www.loc.gov/standards/mets/mets.xsd",
    CSIP.uri,
    "https://earkcsip.dilcis.eu/schema/DILCISExtensionMETS.xsd",
)
CATEGORY = "Mixed"
CONTENT_KIND = {
    f"{{{CSIP.uri}}}CONTENTINFORMATIONTYPE": "OTHER",
    f"{{{CSIP.uri}}}OTHERCONTENTINFORMATIONTYPE": "Sebalai",
}
SOFTWARE, SOFTWARE_VERSION = "Sebalai", "0.1.0"
DESCRIPTIVE, PRESERVATION = "DC", "PREMIS"


@dataclass(frozen=True, slots=True)
class PackedFile:
    """`path` below the package's folder; `sha256` in hex."""

    path: str
    media_type: str
    size: int
    sha256: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Packed:
    """`groups` by their USE: Documentation, Schemas, Representations/…"""

    identifier: str
    at: datetime
    descriptive: PackedFile
    preservation: PackedFile
    groups: Mapping[str, Sequence[PackedFile]]


def mets(of: Packed) -> Element:
    root = METS.root("mets", OBJID=of.identifier, TYPE=CATEGORY, PROFILE=PROFILE)
    root.set(f"{{{CSIP.uri}}}CONTENTINFORMATIONTYPE", "MIXED")
    located(root, *SCHEMAS)
    _header(root, of.at)
    described = METS.add(root, "dmdSec", attributes=_section("dmd-1", of.at))
    _reference(described, of.descriptive, DESCRIPTIVE)
    managed = METS.add(root, "amdSec")
    kept = METS.add(managed, "digiprovMD", attributes=_section("digiprov-1", of.at))
    _reference(kept, of.preservation, PRESERVATION)
    _files(root, of.groups)
    _structure(root, of)
    return root


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _header(root: Element, at: datetime) -> None:
    kind = {f"{{{CSIP.uri}}}OAISPACKAGETYPE": "DIP"}
    header = METS.add(root, "metsHdr", attributes={"CREATEDATE": moment(at)} | kind)
    who = {"ROLE": "CREATOR", "TYPE": "OTHER", "OTHERTYPE": "SOFTWARE"}
    agent = METS.add(header, "agent", attributes=who)
    METS.add(agent, "name", SOFTWARE)
    note = {f"{{{CSIP.uri}}}NOTETYPE": "SOFTWARE VERSION"}
    METS.add(agent, "note", SOFTWARE_VERSION, note)


def _section(name: str, at: datetime) -> dict[str, str]:
    return {"ID": name, "CREATED": moment(at), "STATUS": "CURRENT"}


def _facts(file: PackedFile) -> dict[str, str]:
    return {
        "MIMETYPE": file.media_type,
        "SIZE": str(file.size),
        "CREATED": moment(file.created),
        "CHECKSUM": file.sha256,
        "CHECKSUMTYPE": "SHA-256",
    }


def _place(file: PackedFile) -> dict[str, str]:
    return {
        "LOCTYPE": "URL",
        f"{{{XLINK}}}type": "simple",
        f"{{{XLINK}}}href": quote(file.path),
    }


def _reference(section: Element, file: PackedFile, kind: str) -> None:
    METS.add(section, "mdRef", attributes=_place(file) | {"MDTYPE": kind} | _facts(file))


def _files(root: Element, groups: Mapping[str, Sequence[PackedFile]]) -> None:
    section, number = METS.add(root, "fileSec", attributes={"ID": "files"}), 0
    for place, (use, files) in enumerate(groups.items(), 1):
        named = {"ID": _group_id(place), "USE": use} | CONTENT_KIND
        group = METS.add(section, "fileGrp", attributes=named)
        for file in files:
            number += 1
            made = METS.add(group, "file", attributes={"ID": f"file-{number}"} | _facts(file))
            METS.add(made, "FLocat", attributes=_place(file))


def _group_id(place: int) -> str:
    return f"group-{place}"


def _structure(root: Element, of: Packed) -> None:
    whole = {"ID": "structure", "TYPE": "PHYSICAL", "LABEL": "CSIP"}
    top = METS.add(METS.add(root, "structMap", attributes=whole), "div")
    top.attrib.update({"ID": "div-0", "LABEL": of.identifier})
    metadata = {"ID": "div-metadata", "LABEL": "Metadata"}
    links = {"ADMID": "digiprov-1", "DMDID": "dmd-1"}
    METS.add(top, "div", attributes=metadata | links)
    parts: dict[str, Element] = {}
    for place, use in enumerate(of.groups, 1):
        label = use.partition("/")[0]
        if label not in parts:
            named = {"ID": f"div-{label.lower()}", "LABEL": label}
            parts[label] = METS.add(top, "div", attributes=named)
        METS.add(parts[label], "fptr", attributes={"FILEID": _group_id(place)})
