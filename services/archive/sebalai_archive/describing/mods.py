"""MODS 3.8 (Library of Congress): what Dublin Core has no place for.

Order of elements is free in MODS; each is filled only where the record says something.
"""

from xml.etree.ElementTree import Element

from sebalai_archive.describing import CREATOR_PREFIX, Description
from sebalai_archive.describing.xml import Names, located

MODS = Names("mods", "http://www.loc.gov/mods/v3")
SCHEMA = "http://www.loc.gov/standards/mods/v3/mods-3-8.xsd"
AUTHORITY = "permendagri-83-2022"
ORIGINALS = {"elektronik": "born digital"}


def mods(of: Description) -> Element:
    root = MODS.root("mods", version="3.8")
    located(root, MODS.uri, SCHEMA)
    MODS.add(MODS.add(root, "titleInfo"), "title", of.title)
    _creator(root, of)
    origin = MODS.add(root, "originInfo")
    if of.dated is not None:
        MODS.add(origin, "dateCreated", of.dated.isoformat(), {"encoding": "w3cdtf"})
    if of.declared_at is not None:
        day = of.declared_at.date().isoformat()
        MODS.add(origin, "dateCaptured", day, {"encoding": "w3cdtf"})
    language = MODS.add(root, "language")
    MODS.add(language, "languageTerm", of.language, {"type": "code"})
    _form(root, of)
    MODS.add_if(root, "abstract", of.description)
    MODS.add(root, "classification", of.classification, {"authority": AUTHORITY})
    MODS.add(root, "identifier", of.identifier, {"type": "uri"})
    if of.number:
        MODS.add(root, "identifier", of.number, {"type": "local"})
    MODS.add(MODS.add(root, "location"), "url", of.address, {"usage": "primary display"})
    MODS.add(root, "accessCondition", of.rights, {"type": "restriction on access"})
    return root


def _creator(root: Element, of: Description) -> None:
    name = MODS.add(root, "name", attributes={"type": "corporate"})
    MODS.add(name, "namePart", CREATOR_PREFIX + of.agency)
    role = MODS.add(name, "role")
    MODS.add(role, "roleTerm", "cre", {"type": "code", "authority": "marcrelator"})


def _form(root: Element, of: Description) -> None:
    form = MODS.add(root, "physicalDescription")
    MODS.add_if(form, "internetMediaType", of.media_type)
    origin = ORIGINALS.get(of.medium, "reformatted digital")
    MODS.add(form, "digitalOrigin", origin)
    MODS.add(form, "note", of.development_level, {"type": "tingkat perkembangan"})
