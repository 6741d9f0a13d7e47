"""Unqualified Dublin Core as OAI-PMH wants it (oai_dc)."""

from xml.etree.ElementTree import Element

from sebalai_archive.describing import CREATOR_PREFIX, Description
from sebalai_archive.describing.xml import Names, located

OAI_DC = Names("oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc/")
DC = Names("dc", "http://purl.org/dc/elements/1.1/")
SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"


def dublin_core(of: Description) -> Element:
    root = OAI_DC.root("dc")
    located(root, OAI_DC.uri, SCHEMA)
    DC.add(root, "identifier", of.identifier)
    DC.add(root, "identifier", of.address)
    DC.add_if(root, "identifier", of.number)
    DC.add(root, "title", of.title)
    DC.add(root, "creator", CREATOR_PREFIX + of.agency)
    DC.add(root, "subject", of.classification)
    DC.add_if(root, "description", of.description)
    DC.add_if(root, "date", of.dated.isoformat() if of.dated else None)
    DC.add(root, "type", of.development_level)
    DC.add_if(root, "format", of.media_type)
    DC.add(root, "language", of.language)
    DC.add(root, "rights", of.rights)
    return root
