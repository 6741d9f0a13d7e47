"""Services as CPSV-AP 3.2.0 (the EU's Core Public Service Vocabulary), from rows to nodes; pure.

Every class and property is the profile's, but for `sebalai:` where it has none: ordered steps,
complaint and appeal, working days, payment methods, provenance. ISO 8601 knows no working day, so a
promise in working days is `sebalai:workingDays` and never a duration of as many calendar days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sebalai_services_catalog.exports.points import contact_point, location
from sebalai_services_catalog.linked import Graph, Node, authority, ref, texts, typed
from sebalai_services_catalog.regulations.actions import RegulationRead
from sebalai_services_catalog.services.actions import Charge, Requirement, Standard, Step, places_of

PATH = "/api/catalog/v1/exports/cpsv-ap.jsonld"
CHANNELS = {
    "daring": "Daring",
    "loket": "Loket",
    "telepon": "Telepon",
    "whatsapp": "WhatsApp",
    "aplikasi": "Aplikasi",
}
_EXACT = {"minutes": "PT{}M", "hours": "PT{}H", "days": "P{}D"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One published service as exports tell of it."""

    slug: str
    agency: str
    state: str
    version: int
    published_at: datetime
    provenance: tuple[str, str]
    name: tuple[str, str | None]
    summary: tuple[str, str | None]
    standard: Standard


@dataclass(frozen=True, slots=True)
class Known:
    """What entries refer to: names of agencies and of regions by slug and code, laws by id."""

    agencies: Mapping[str, str]
    laws: Mapping[str, RegulationRead]
    regions: Mapping[str, str]


def catalogue(
    public_url: str, entries: Sequence[Entry], known: Known, publisher: str, more: str | None
) -> Node:
    """The document: the catalogue, its services and what they refer to. `more`: the next page."""
    graph = Graph(public_url)
    parts = [_Service(graph, entry, known).add() for entry in entries]
    graph.add(
        public_url + PATH,
        ["dcat:Dataset"],
        dct_title=texts("Katalog layanan publik", "Catalogue of public services"),
        dct_description=texts(
            "Standar pelayanan yang diterbitkan; status tiap layanan ada di dct:provenance.",
            "Published service standards; dct:provenance says how sure each one is.",
        ),
        dct_publisher=graph.agency(publisher, known.agencies),
        dct_hasPart=parts,
        hydra_next=ref(more) if more else None,
    )
    return graph.document()


class _Service:
    """One entry's nodes in a graph."""

    def __init__(self, graph: Graph, entry: Entry, known: Known) -> None:
        self._graph, self._entry, self._known = graph, entry, known
        self._standard = entry.standard
        self._name = f"{graph.public_url}/api/catalog/v1/services/{entry.slug}"
        self._agency = graph.agency(entry.agency, known.agencies)

    def add(self) -> Node:
        entry, standard, graph = self._entry, self._standard, self._graph
        evidence, types = self._inputs()
        name = self._name
        return graph.add(
            name,
            ["cpsv:PublicService"],
            dct_identifier=entry.slug,
            dct_title=texts(*entry.name),
            dct_description=texts(*entry.summary),
            dct_issued=typed("xsd:dateTime", entry.published_at.isoformat()),
            dct_provenance=graph.provenance(name, *entry.provenance),
            dct_language=self._languages(),
            dct_spatial=self._places(),
            dct_audience=[graph.concept(f"urn:sebalai:audience:{a}") for a in standard.audiences],
            dct_type=graph.concept(f"urn:sebalai:ral:{standard.ral_code}")
            if standard.ral_code
            else None,
            dct_relation=[ref(name.rsplit("/", 1)[0] + f"/{one}") for one in standard.related],
            dcat_keyword=[part for word in standard.keywords for part in texts(word)],
            adms_status=graph.concept(f"urn:sebalai:service-state:{entry.state}"),
            cv_hasCompetentAuthority=self._agency,
            cv_contactPoint=self._contacts(),
            cv_isGroupedBy=self._events(),
            cv_hasChannel=[self._channel(one) for one in standard.channels],
            cv_hasCost=self._costs(),
            cv_holdsRequirement=[self._requirement(one) for one in standard.requirements or []],
            cpsv_hasInput=evidence,
            cv_hasInputType=types,
            cpsv_produces=self._output(),
            cpsv_follows=self._rule(),
            cv_hasLegalResource=self._laws(),
            cv_processingTime=self._duration(None),
            sebalai_version=entry.version,
            **self._beyond(),
        )

    def _languages(self) -> list[Node]:
        is_english = self._entry.name[1] and self._entry.summary[1]
        return [self._graph.language(tag) for tag in ("id", "en")[: 2 if is_english else 1]]

    def _places(self) -> list[Node]:
        """The province it is offered in, and where in it there is a service point."""
        regions = self._known.regions
        codes = places_of(self._standard.points)
        return [self._graph.province(), *(location(self._graph, code, regions) for code in codes)]

    def _contacts(self) -> list[Node]:
        points, regions = self._standard.points, self._known.regions
        found = [contact_point(self._graph, self._name, one, regions) for one in points]
        return [*self._contact(), *found]

    def _contact(self) -> list[Node]:
        if self._standard.contact is None:
            return []
        said = texts(self._standard.contact)
        name = f"{self._name}#contact"
        return [self._graph.add(name, ["cv:ContactPoint"], dct_description=said)]

    def _events(self) -> list[Node]:
        pairs = (
            ("cv:LifeEvent", self._standard.life_event),
            ("cv:BusinessEvent", self._standard.business_event),
        )
        return [
            self._graph.add(
                f"urn:sebalai:event:{slug}",
                ["cv:Event", kind],
                dct_identifier=slug,
                dct_title=texts(slug.replace("-", " ").capitalize()),
            )
            for kind, slug in pairs
            if slug
        ]

    def _channel(self, kind: str) -> Node:
        return self._graph.add(
            f"{self._name}#channel-{kind}",
            ["cv:Channel"],
            dct_identifier=f"{self._entry.slug}/{kind}",
            dct_type=self._graph.concept(f"urn:sebalai:channel:{kind}", CHANNELS.get(kind)),
            cv_ownedBy=self._agency,
            cv_processingTime=self._duration(kind),
        )

    def _duration(self, channel: str | None) -> Node | None:
        """The promise as ISO 8601, of one channel where it differs; none in working days."""
        promise = self._standard.duration
        if promise is None:
            return None
        by_channel = {kind: term for kind, term in promise.channels.items() if kind == channel}
        term = promise if channel is None else next(iter(by_channel.values()), None)
        if term is None or term.unit not in _EXACT:
            return None
        return typed("xsd:duration", _EXACT[term.unit].format(term.value))

    def _costs(self) -> list[Node]:
        """One, and one a channel that costs something else."""
        fee = self._standard.fee
        if fee is None:
            return []
        found = [self._cost(fee, "cost", sebalai_paymentMethod=list(fee.methods))]
        for kind, charge in fee.channels.items():
            channel = ref(f"{self._name}#channel-{kind}")
            found.append(self._cost(charge, f"cost-{kind}", cv_ifAccessedThrough=channel))
        return found

    def _cost(self, charge: Charge, part: str, **more: object) -> Node:
        amount = 0 if charge.kind == "free" else charge.rupiah
        said = {"free": "Gratis", "fixed": None, "formula": charge.formula}[charge.kind]
        return self._graph.add(
            f"{self._name}#{part}",
            ["cv:Cost"],
            dct_identifier=f"{self._entry.slug}/{part}",
            dct_description=texts(said) if said else None,
            cv_hasValue=None if amount is None else typed("xsd:double", float(amount)),
            cv_currency=self._graph.concept(authority("currency", "IDR")),
            cv_isDefinedBy=self._agency,
            **more,
        )

    def _requirement(self, one: Requirement) -> Node:
        return self._graph.add(
            f"{self._name}#requirement-{one.code}",
            ["cv:Requirement"],
            dct_identifier=f"{self._entry.slug}/{one.code}",
            dct_title=texts(one.name.id, one.name.en),
            dct_description=texts(one.condition) if one.condition else None,
            dct_type=self._graph.concept(f"urn:sebalai:requirement-kind:{one.kind}"),
            cv_fulfils=self._rule(),
            cv_hasSupportingEvidence=self._evidence(one),
            sebalai_mandatory=typed("xsd:boolean", str(one.mandatory).lower()),
            sebalai_heldBy=one.source,
        )

    def _evidence(self, one: Requirement) -> Node | None:
        if one.kind not in ("document", "data"):
            return None
        return self._graph.add(
            f"{self._name}#evidence-{one.code}",
            ["cv:Evidence"],
            dct_identifier=f"{self._entry.slug}/{one.code}/evidence",
            dct_title=texts(one.name.id, one.name.en),
            dct_conformsTo=self._evidence_type(one),
            cv_supportsRequirement=ref(f"{self._name}#requirement-{one.code}"),
        )

    def _evidence_type(self, one: Requirement) -> Node | None:
        if one.evidence_type is None:
            return None
        name = f"{self._graph.public_url}/api/catalog/v1/evidence-types#{one.evidence_type}"
        return self._graph.add(name, ["cv:EvidenceType"], dct_identifier=one.evidence_type)

    def _inputs(self) -> tuple[list[Node], list[Node]]:
        asked = self._standard.requirements or []
        evidence = [node for one in asked if (node := self._evidence(one))]
        types = [node for one in asked if (node := self._evidence_type(one))]
        return evidence, types

    def _output(self) -> Node | None:
        product = self._standard.product
        if product is None:
            return None
        return self._graph.add(
            f"{self._name}#output",
            ["cv:Output"],
            dct_identifier=f"{self._entry.slug}/output",
            dct_title=texts(product.name.id, product.name.en),
            dct_type=self._graph.concept(f"urn:sebalai:document-type:{product.document_type}"),
            sebalai_signer=product.signer,
            sebalai_validityMonths=product.validity_months,
        )

    def _rule(self) -> Node | None:
        """The procedure, as the rule the service follows under the laws it rests on."""
        steps = self._standard.procedure
        if not steps:
            return None
        return self._graph.add(
            f"{self._name}#procedure",
            ["cpsv:Rule"],
            dct_identifier=f"{self._entry.slug}/procedure",
            dct_title=texts("Sistem, mekanisme, dan prosedur", "System, mechanism and procedure"),
            dct_description=texts(_told(steps, "id"), _told(steps, "en")),
            cpsv_implements=self._laws(),
        )

    def _laws(self) -> list[Node]:
        found = [self._known.laws.get(key) for key in self._standard.legal_basis or []]
        return [self._law(law) for law in found if law is not None]

    def _law(self, law: RegulationRead) -> Node:
        name = f"urn:sebalai:regulation:{law.id}"
        title = f"{law.kind.upper()} Nomor {law.number} Tahun {law.year} tentang {law.title}"
        return self._graph.add(
            name,
            ["eli:LegalResource"],
            dct_identifier=law.id,
            dct_title=texts(title),
            dct_provenance=self._graph.provenance(
                name, law.provenance.status, law.provenance.source
            ),
            sebalai_standing=law.status,
        )

    def _beyond(self) -> dict[str, object]:
        """What CPSV-AP has no property for (SEMICeu/CPSV-AP issues 31 and 139)."""
        promise, complaints = self._standard.duration, self._standard.complaints
        days = promise.value if promise and promise.unit == "working_days" else None
        return {
            "sebalai_workingDays": days,
            "sebalai_clockStarts": promise.starts if promise else None,
            "sebalai_authenticationLevel": self._standard.authentication_level,
            "sebalai_complaintChannel": complaints.channels if complaints else None,
            "sebalai_appealTo": complaints.appeal_to if complaints else None,
            "sebalai_appealWorkingDays": complaints.appeal_working_days if complaints else None,
        }


def _told(steps: Sequence[Step], language: str) -> str:
    """Empty where a step is not said in that language."""
    said = [getattr(step.what, language) for step in steps]
    if not all(said):
        return ""
    return "\n".join(f"{place}. {text}" for place, text in enumerate(said, 1))
