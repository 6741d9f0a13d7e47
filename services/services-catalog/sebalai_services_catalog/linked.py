"""Building blocks of what we publish as linked data (JSON-LD 1.1): names, texts, common nodes.

The context travels with each document: nobody has to load one from elsewhere to read it. Terms that
no vocabulary has are under `urn:sebalai:term:`.
"""

from collections.abc import Mapping
from typing import Any

Node = dict[str, Any]

MEDIA_TYPE = "application/ld+json"
PROVINCE = "urn:sebalai:region:19"
"""Kemendagri code 19: Provinsi Kepulauan Bangka Belitung."""

_ABSENT: tuple[object, ...] = (None, "", [])
_AUTHORITY = "http://publications.europa.eu/resource/authority/"
LANGUAGES = {"id": _AUTHORITY + "language/IND", "en": _AUTHORITY + "language/ENG"}

CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "cpsv": "http://purl.org/vocab/cpsv#",
    "cv": "http://data.europa.eu/m8g/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "locn": "http://www.w3.org/ns/locn#",
    "org": "http://www.w3.org/ns/org#",
    "sebalai": "urn:sebalai:term:",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "time": "http://www.w3.org/2006/time#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def authority(table: str, code: str) -> str:
    """A concept of the EU's Publications Office: currency IDR, frequency ANNUAL, …"""
    return f"{_AUTHORITY}{table}/{code}"


def ref(name: str) -> Node:
    return {"@id": name}


def texts(indonesian: str, english: str | None = None) -> list[Node]:
    """What is missing in English is not repeated in Indonesian: the tag would lie."""
    said = [{"@language": "id", "@value": indonesian}]
    return [*said, {"@language": "en", "@value": english}] if english else said


def typed(kind: str, value: object) -> Node:
    return {"@type": kind, "@value": str(value)}


class Graph:
    """Nodes by their name, each once; the first word on a node is kept."""

    def __init__(self, public_url: str) -> None:
        self.public_url = public_url
        self._nodes: dict[str, Node] = {}

    def add(self, name: str, kinds: list[str], /, **members: object) -> Node:
        """Members are named `prefix_term`; those that are absent or empty are left out."""
        if name not in self._nodes:
            said = {
                key.replace("_", ":", 1): value
                for key, value in members.items()
                if value not in _ABSENT
            }
            self._nodes[name] = {"@id": name, "@type": kinds, **said}
        return ref(name)

    def concept(self, name: str, label: str | None = None) -> Node:
        """A term of a code list; the label is Indonesian unless there is none."""
        code = name.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
        known = texts(label) if label else [{"@value": code}]
        return self.add(name, ["skos:Concept"], skos_notation=code, skos_prefLabel=known)

    def language(self, tag: str) -> Node:
        return self.add(LANGUAGES[tag], ["dct:LinguisticSystem"], dct_identifier=tag)

    def province(self) -> Node:
        label = texts("Kepulauan Bangka Belitung", "Bangka Belitung Islands")
        return self.add(PROVINCE, ["dct:Location"], dct_identifier="19", skos_prefLabel=label)

    def agency(self, slug: str, names: Mapping[str, str]) -> Node:
        """A Perangkat Daerah as what each vocabulary calls such a body."""
        label = texts(names.get(slug, slug))
        return self.add(
            f"{self.public_url}/api/identity/v1/agencies/{slug}",
            ["cv:PublicOrganisation", "org:Organization", "foaf:Agent"],
            dct_identifier=slug,
            dct_title=label,
            foaf_name=label,
            skos_prefLabel=label,
            dct_spatial=self.province(),
        )

    def provenance(self, of: str, status: str, source: str) -> Node:
        """How sure we are: what is unverified here is marked so wherever it is copied to."""
        return self.add(
            f"{of}#provenance",
            ["dct:ProvenanceStatement"],
            sebalai_status=status,
            dct_description=[{"@language": "en", "@value": source}],
        )

    def document(self) -> Node:
        return {"@context": CONTEXT, "@graph": list(self._nodes.values())}
