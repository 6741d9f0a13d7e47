"""E-ARK CSIP 2.1.0 as a table: each requirement that a rule of its METS profile can see."""

from xml.etree import ElementTree as ET

import pytest

from services.archive.tests.packages.conftest import Forged, exported

METS, XLINK = "{http://www.loc.gov/METS/}", "{http://www.w3.org/1999/xlink}"
CSIP = "{https://DILCIS.eu/XML/METS/CSIPExtensionMETS}"
FILE = ("MIMETYPE", "SIZE", "CREATED", "CHECKSUM", "CHECKSUMTYPE")


def at(path):
    return path.replace("/", f"/{METS}").replace("//" + METS, "//" + METS)


# Requirement: where it is looked for (below mets), what each element there must have.
RULES = {
    "CSIP1": (".", {"OBJID": None}),
    "CSIP2": (".", {"TYPE": "Mixed"}),
    "CSIP4": (".", {f"{CSIP}CONTENTINFORMATIONTYPE": "MIXED"}),
    "CSIP6": (".", {"PROFILE": "https://earkcsip.dilcis.eu/profile/E-ARK-CSIP-v2-1-0.xml"}),
    "CSIP7": ("./metsHdr", {"CREATEDATE": None}),
    "CSIP9": ("./metsHdr", {f"{CSIP}OAISPACKAGETYPE": "DIP"}),
    "CSIP11-13": (
        "./metsHdr/agent",
        {"ROLE": "CREATOR", "TYPE": "OTHER", "OTHERTYPE": "SOFTWARE"},
    ),
    "CSIP16": ("./metsHdr/agent/note", {f"{CSIP}NOTETYPE": "SOFTWARE VERSION"}),
    "CSIP18-20": ("./dmdSec", {"ID": None, "CREATED": None, "STATUS": "CURRENT"}),
    "CSIP22-30": ("./dmdSec/mdRef", {"LOCTYPE": "URL", f"{XLINK}type": "simple", "MDTYPE": "DC"}),
    "CSIP32-34": ("./amdSec/digiprovMD", {"ID": None, "STATUS": "CURRENT"}),
    "CSIP35-44": (
        "./amdSec/digiprovMD/mdRef",
        {"LOCTYPE": "URL", f"{XLINK}href": None, "MDTYPE": "PREMIS"} | dict.fromkeys(FILE),
    ),
    "CSIP59": ("./fileSec", {"ID": None}),
    "CSIP64-65": ("./fileSec/fileGrp", {"USE": None, "ID": None}),
    "CSIP67-72": ("./fileSec/fileGrp/file", {"ID": None} | dict.fromkeys(FILE)),
    "CSIP77-79": (
        "./fileSec/fileGrp/file/FLocat",
        {"LOCTYPE": "URL", f"{XLINK}type": "simple", f"{XLINK}href": None},
    ),
    "CSIP81-83": ("./structMap", {"TYPE": "PHYSICAL", "LABEL": "CSIP", "ID": None}),
    "CSIP85": ("./structMap/div", {"ID": None, "LABEL": None}),
    "CSIP89-107": ("./structMap/div/div", {"ID": None, "LABEL": None}),
    "CSIP116-119": ("./structMap/div/div/fptr", {"FILEID": None}),
}


@pytest.fixture
async def mets(writer, keep):
    forged = Forged(await exported(writer, record=await keep()))
    return ET.fromstring(forged.files[forged.path("/METS.xml")])  # noqa: S314 - our own


async def test_each_requirement_holds(mets):
    for name, (path, wanted) in RULES.items():
        found = mets.findall(at(path)) if path != "." else [mets]
        assert found, name
        for one in found:
            for attribute, value in wanted.items():
                assert one.get(attribute), (name, attribute)
                assert value in {None, one.get(attribute)}, (name, attribute)


async def test_divisions_and_groups_name_one_another(mets):
    groups = {one.get("ID"): one.get("USE") for one in mets.findall(at("./fileSec/fileGrp"))}
    assert sorted(groups.values()) == ["Documentation", "Representations/rep1", "Schemas"]
    parts = {one.get("LABEL"): one for one in mets.findall(at("./structMap/div/div"))}
    assert set(parts) == {"Metadata", "Documentation", "Schemas", "Representations"}
    for label, part in parts.items():
        for pointer in part.findall(f"{METS}fptr"):
            assert groups[pointer.get("FILEID")].startswith(label)
    sections = {mets.find(at("./dmdSec")).get("ID"), mets.find(at("./amdSec/digiprovMD")).get("ID")}
    assert {parts["Metadata"].get("DMDID"), parts["Metadata"].get("ADMID")} == sections


async def test_every_identifier_stands_once(mets):
    ids = [one.get("ID") for one in mets.iter() if one.get("ID")]
    assert len(ids) == len(set(ids)) > 10
