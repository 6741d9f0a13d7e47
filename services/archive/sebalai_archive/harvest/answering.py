"""Answers of OAI-PMH 2.0 as XML."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from sebalai_archive.describing import Description, dublin_core, mods
from sebalai_archive.describing.xml import Names, located, written
from sebalai_archive.harvest.asking import Ask, Refused

OAI = Names("", "http://www.openarchives.org/OAI/2.0/")
SCHEMA = "http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd"
REPOSITORY = "Arsip Provinsi Kepulauan Bangka Belitung (Sebalai)"
WRITERS: Mapping[str, Callable[[Description], Element]] = {
    "oai_dc": dublin_core.dublin_core,
    "mods": mods.mods,
}
SCHEMAS = {
    "oai_dc": (dublin_core.SCHEMA, dublin_core.OAI_DC.uri),
    "mods": (mods.SCHEMA, mods.MODS.uri),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the repository; of a deleted one only the header is told."""

    described: Description
    at: datetime
    sets: tuple[str, ...]
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Token:
    """Where the list goes on, or empty at the end of one that came in parts."""

    value: str
    expires: datetime | None = None


def to_second(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Answer:
    """One answer: the envelope, then what the verb gives."""

    def __init__(self, base_url: str, at: datetime, ask: Ask | None) -> None:
        """`ask` is None when its verb or arguments were refused: then they are not repeated."""
        self.root = OAI.root("OAI-PMH")
        located(self.root, OAI.uri, SCHEMA)
        OAI.add(self.root, "responseDate", to_second(at))
        said = {"verb": ask.verb, **ask.arguments} if ask else {}
        OAI.add(self.root, "request", base_url, said)
        self._verb = ask.verb if ask else ""

    def write(self) -> bytes:
        return written(self.root)

    def refuse(self, refused: Refused) -> None:
        OAI.add(self.root, "error", str(refused), {"code": refused.code})

    def _body(self) -> Element:
        return OAI.add(self.root, self._verb)

    def identify(self, base_url: str, email: str, earliest: datetime) -> None:
        body = self._body()
        OAI.add(body, "repositoryName", REPOSITORY)
        OAI.add(body, "baseURL", base_url)
        OAI.add(body, "protocolVersion", "2.0")
        OAI.add(body, "adminEmail", email)
        OAI.add(body, "earliestDatestamp", to_second(earliest))
        OAI.add(body, "deletedRecord", "persistent")
        OAI.add(body, "granularity", "YYYY-MM-DDThh:mm:ssZ")

    def formats(self) -> None:
        body = self._body()
        for prefix, (schema, namespace) in SCHEMAS.items():
            one = OAI.add(body, "metadataFormat")
            OAI.add(one, "metadataPrefix", prefix)
            OAI.add(one, "schema", schema)
            OAI.add(one, "metadataNamespace", namespace)

    def sets(self, named: Iterable[tuple[str, str]]) -> None:
        body = self._body()
        for spec, name in named:
            one = OAI.add(body, "set")
            OAI.add(one, "setSpec", spec)
            OAI.add(one, "setName", name)

    def headers(self, items: Iterable[Item], token: Token | None) -> None:
        body = self._body()
        for item in items:
            _header(body, item)
        _token(body, token)

    def records(self, items: Iterable[Item], prefix: str, token: Token | None) -> None:
        body = self._body()
        for item in items:
            one = OAI.add(body, "record")
            _header(one, item)
            if not item.is_deleted:
                OAI.add(one, "metadata").append(WRITERS[prefix](item.described))
        _token(body, token)


def _header(parent: Element, item: Item) -> None:
    header = OAI.add(parent, "header")
    if item.is_deleted:
        header.set("status", "deleted")
    OAI.add(header, "identifier", item.described.identifier)
    OAI.add(header, "datestamp", to_second(item.at))
    for name in item.sets:
        OAI.add(header, "setSpec", name)


def _token(body: Element, token: Token | None) -> None:
    if token is not None:
        expires = {"expirationDate": to_second(token.expires)} if token.expires else {}
        OAI.add(body, "resumptionToken", token.value, expires)
