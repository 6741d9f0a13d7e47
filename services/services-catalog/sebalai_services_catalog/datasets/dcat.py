"""Datasets as DCAT-AP 3.0, the EU's profile of DCAT, and the bus's interfaces as data services."""

from collections.abc import Mapping, Sequence

from sebalai_services_catalog.apis.actions import Listed
from sebalai_services_catalog.datasets.access import WALIDATA
from sebalai_services_catalog.datasets.metadata import LICENSES, THEMES, Distribution, Metadata
from sebalai_services_catalog.datasets.model import Dataset
from sebalai_services_catalog.linked import Graph, Node, authority, ref, texts, typed

PATH = "/api/catalog/v1/exports/dcat-ap.jsonld"
_FILE_TYPES = {"JSON-LD": "JSON_LD"}
_MEDIA = "https://www.iana.org/assignments/media-types/"


def catalogue(
    public_url: str,
    rows: Sequence[Dataset],
    interfaces: Sequence[Listed],
    names: Mapping[str, str],
    more: str | None,
) -> Node:
    """`more` is the address of the next page."""
    graph = Graph(public_url)
    graph.add(
        public_url + PATH,
        ["dcat:Catalog"],
        dct_title=texts("Satu Data Kepulauan Bangka Belitung", "Open data of Bangka Belitung"),
        dct_description=texts(
            "Metadata dataset yang diperiksa dan diterbitkan walidata.",
            "Metadata of datasets, checked and published by the walidata.",
        ),
        dct_publisher=graph.agency(WALIDATA, names),
        dct_language=[graph.language("id"), graph.language("en")],
        dct_spatial=graph.province(),
        dcat_dataset=[_dataset(graph, row, names) for row in rows],
        dcat_service=[_service(graph, one) for one in interfaces],
        hydra_next=ref(more) if more else None,
    )
    return graph.document()


def _dataset(graph: Graph, row: Dataset, names: Mapping[str, str]) -> Node:
    said = Metadata.model_validate(row.shown)
    name = f"{graph.public_url}/api/catalog/v1/datasets/{row.slug}"
    english = bool(said.title.en and said.description.en)
    return graph.add(
        name,
        ["dcat:Dataset"],
        dct_identifier=row.slug,
        dct_title=texts(said.title.id, said.title.en),
        dct_description=texts(said.description.id, said.description.en),
        dct_publisher=graph.agency(row.agency, names),
        dct_issued=_moment(row.published_at),
        dct_modified=_moment(row.modified_at),
        dct_language=[graph.language(tag) for tag in ("id", "en")[: 2 if english else 1]],
        dct_accessRights=graph.add(
            authority("access-right", said.access),
            ["dct:RightsStatement"],
            dct_identifier=said.access,
        ),
        dct_accrualPeriodicity=graph.add(
            authority("frequency", said.frequency),
            ["dct:Frequency"],
            dct_identifier=said.frequency,
        ),
        dct_spatial=_region(graph, said.region),
        dct_temporal=_period(graph, name, said),
        dct_conformsTo=_standard(graph, name, said),
        dcat_theme=[graph.concept(authority("data-theme", t), THEMES[t][0]) for t in said.themes],
        dcat_keyword=[part for word in said.keywords for part in texts(word)],
        dcat_contactPoint=_contact(graph, name, said),
        dcat_distribution=[_distribution(graph, name, one, said) for one in said.distributions],
        sebalai_referenceCode=list(said.reference_codes),
    )


def _moment(at: object) -> Node | None:
    return typed("xsd:dateTime", str(at).replace(" ", "T")) if at else None


def _region(graph: Graph, code: str) -> Node:
    if code == "19":
        return graph.province()
    return graph.add(f"urn:sebalai:region:{code}", ["dct:Location"], dct_identifier=code)


def _period(graph: Graph, name: str, said: Metadata) -> Node | None:
    if said.temporal is None:
        return None
    end = said.temporal.end
    return graph.add(
        f"{name}#temporal",
        ["dct:PeriodOfTime"],
        dcat_startDate=typed("xsd:date", said.temporal.start),
        dcat_endDate=typed("xsd:date", end) if end else None,
    )


def _standard(graph: Graph, name: str, said: Metadata) -> Node | None:
    """Under its dataset: two agencies' words on one code never become those of one node."""
    standard = said.standard
    if standard is None:
        return None
    return graph.add(
        f"{name}#standard",
        ["dct:Standard"],
        dct_identifier=standard.code,
        dct_title=texts(standard.concept),
        dct_description=texts(standard.definition),
        sebalai_classification=standard.classification,
        sebalai_measure=standard.measure,
        sebalai_unit=standard.unit,
    )


def _contact(graph: Graph, name: str, said: Metadata) -> Node:
    return graph.add(
        f"{name}#contact",
        ["vcard:Kind", "vcard:Organization"],
        vcard_fn=said.contact.name,
        vcard_hasEmail=ref(f"mailto:{said.contact.email}"),
    )


def _distribution(graph: Graph, name: str, one: Distribution, said: Metadata) -> Node:
    url = one.url if one.url.startswith("https:") else graph.public_url + one.url
    file_type = authority("file-type", _FILE_TYPES.get(one.format, one.format))
    title, address = LICENSES[said.license]
    size = None if one.bytes is None else typed("xsd:nonNegativeInteger", one.bytes)
    return graph.add(
        f"{name}#distribution-{one.code}",
        ["dcat:Distribution"],
        dct_identifier=one.code,
        dct_title=texts(one.title),
        dct_description=texts(one.description) if one.description else None,
        dcat_accessURL=ref(url),
        dcat_downloadURL=ref(url),
        dcat_mediaType=graph.add(_MEDIA + one.media_type, ["dct:MediaType"]),
        dct_format=graph.add(file_type, ["dct:MediaTypeOrExtent"], dct_identifier=one.format),
        dcat_byteSize=size,
        dct_license=graph.add(
            address, ["dct:LicenseDocument"], dct_identifier=said.license, dct_title=title
        ),
    )


def _service(graph: Graph, one: Listed) -> Node:
    room = graph.public_url
    return graph.add(
        f"{room}/r1/{one.name}",
        ["dcat:DataService"],
        dct_identifier=one.name,
        dct_title=texts(one.name.rsplit("/", 1)[-1]),
        dcat_endpointURL=ref(f"{room}/r1/{one.name}"),
        dcat_endpointDescription=ref(f"{room}/api/exchange/v1/interfaces/{one.id}/contract"),
    )
