"""The exports of the loaded reference services, as a stranger fetches them."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pyshacl
import pytest
from rdflib import DCTERMS, RDF, Graph, Literal, Namespace, URIRef
from sebalai_services_catalog.exports.cpsv import Entry, Known, catalogue
from sebalai_services_catalog.exports.sippn import row as sippn_row
from sebalai_services_catalog.services.actions import Standard

SHAPES = Path(__file__).parent / "cpsv-ap-3.2.0.ttl"
CPSV = Namespace("http://purl.org/vocab/cpsv#")
CV = Namespace("http://data.europa.eu/m8g/")
OURS = Namespace("urn:sebalai:term:")
EXPORTS = "https://bus.example/api/catalog/v1/exports"
WATER = URIRef("https://bus.example/api/catalog/v1/services/izin-pengusahaan-air-tanah")
URL = "/v1/exports"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
# rdflib's own JSON-LD parser makes one of those.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")


def parsed(text):
    return Graph().parse(data=text, format="json-ld")


def report(graph):
    conforms, _, text = pyshacl.validate(
        graph, shacl_graph=Graph().parse(SHAPES), data_graph_format="json-ld", inference="none"
    )
    return conforms, text


WHOLE = []


@pytest.fixture
async def graph(loaded, anonymous):
    """The whole export, parsed once: it is the same in each of these tests."""
    if not WHOLE:
        answer = await anonymous.get(f"{URL}/cpsv-ap.jsonld")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/ld+json")
        WHOLE.append(parsed(answer.text))
    return WHOLE[0]


async def test_every_published_service_is_valid_cpsv_ap(graph):
    conforms, text = report(graph)
    assert conforms, text
    assert len(set(graph.subjects(RDF.type, CPSV.PublicService))) >= 60
    for kind in ("PublicOrganisation", "Channel", "Cost", "Requirement", "Evidence", "Event"):
        assert set(graph.subjects(RDF.type, CV[kind])), kind
    assert set(graph.subjects(RDF.type, CPSV.Rule))


async def test_a_page_of_one_is_valid_and_the_shapes_refuse_what_lacks_something(loaded, anonymous):
    document = (await anonymous.get(f"{URL}/cpsv-ap.jsonld?limit=1")).json()
    assert report(parsed(json.dumps(document)))[0]
    (service,) = (node for node in document["@graph"] if "cpsv:PublicService" in node["@type"])
    for needed in ("dct:title", "cv:hasCompetentAuthority", "dct:identifier"):
        said = service.pop(needed)
        assert not report(parsed(json.dumps(document)))[0], needed
        service[needed] = said


async def test_a_service_says_in_both_languages_what_its_standard_says(graph):
    titles = set(graph.objects(WATER, DCTERMS.title))
    assert titles == {
        Literal("Izin Pengusahaan Air Tanah", lang="id"),
        Literal("Groundwater use permit", lang="en"),
    }
    cost = graph.value(WATER, CV.hasCost)
    assert graph.value(cost, CV.hasValue).toPython() == 250000.0
    # ISO 8601 has no working day: fourteen of them are no P14D.
    assert graph.value(WATER, CV.processingTime) is None
    assert graph.value(WATER, OURS.workingDays).toPython() == 14
    held = {graph.value(r, DCTERMS.identifier) for r in graph.objects(WATER, CV.holdsRequirement)}
    assert Literal("izin-pengusahaan-air-tanah/nib") in held


async def test_what_is_unverified_stays_marked_in_the_export(graph):
    services = set(graph.subjects(RDF.type, CPSV.PublicService))
    marks = {graph.value(graph.value(s, DCTERMS.provenance), OURS.status) for s in services}
    assert marks == {Literal("unverified")}


async def test_pages_together_hold_every_service_once(graph, anonymous):
    seen, url = [], f"{URL}/cpsv-ap.jsonld?limit=50"
    while url:
        answer = await anonymous.get(url)
        nodes = answer.json()["@graph"]
        seen += [node["@id"] for node in nodes if "cpsv:PublicService" in node["@type"]]
        link = answer.links.get("next", {}).get("url", "")
        assert link == "" or link.startswith(f"{EXPORTS}/cpsv-ap.jsonld?")
        url = link.removeprefix("https://bus.example/api/catalog")
    services = graph.subjects(RDF.type, CPSV.PublicService)
    assert sorted(seen) == sorted(set(map(str, services)))


@pytest.mark.parametrize("name", ["cpsv-ap.jsonld", "sippn.json", "sippn.csv"])
async def test_who_has_an_export_is_not_sent_it_again(loaded, anonymous, name):
    first = await anonymous.get(f"{URL}/{name}")
    assert first.headers["cache-control"] == "no-cache"
    again = await anonymous.get(f"{URL}/{name}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "cursor=!", "cursor=WzEsMl0"])
async def test_a_malformed_query_is_refused(anonymous, query):
    answer = await anonymous.get(f"{URL}/cpsv-ap.jsonld?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_sippn_sheet_says_what_the_document_says_and_how_sure(loaded, anonymous):
    document = (await anonymous.get(f"{URL}/sippn.json")).json()
    assert "tidak disertifikasi" in document["bentuk"]
    answer = await anonymous.get(f"{URL}/sippn.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["kode"] for row in rows] == [row["kode"] for row in document["layanan"]]
    water = next(row for row in rows if row["kode"] == "izin-pengusahaan-air-tanah")
    assert water["biaya_tarif"] == "Rp250.000"
    assert water["jangka_waktu_penyelesaian"] == "14 hari kerja sejak berkas lengkap"
    assert water["penyelenggara"] == "Dinas Penanaman Modal dan Pelayanan Terpadu Satu Pintu"
    assert {row["status_data"] for row in rows} == {"unverified"}
    components = list(water)[8:22]
    assert len(components) == 14
    assert [name for name in components for row in rows if not row[name]] == []


async def test_the_list_of_interfaces_names_the_exports(anonymous):
    linkset = (await anonymous.get("/.well-known/api-catalog")).json()["linkset"]
    hrefs = {link["href"] for one in linkset for link in one.get("service-meta", [])}
    assert {f"{EXPORTS}/{name}" for name in ("cpsv-ap.jsonld", "sippn.json", "sippn.csv")} <= hrefs
    assert "https://bus.example/api/catalog/v1/software" in hrefs


def test_a_fee_by_channel_is_a_cost_of_its_own_and_a_word_in_the_sheet():
    fee = {"kind": "fixed", "rupiah": 250_000, "channels": {"daring": {"kind": "free"}}}
    standard = Standard.model_validate({"channels": ["daring", "loket"], "fee": fee})
    entry = Entry(
        slug="x", agency="bakuda", state="published", version=1, published_at=NOW,
        provenance=("unverified", "x"), name=("X", None), summary=("X", None), standard=standard,
    )  # fmt: skip
    known = Known({}, {}, {})
    assert sippn_row(entry, known).biaya_tarif == "Rp250.000; Daring: Gratis"
    document = catalogue("https://bus.example", [entry], known, "diskominfo", None)
    assert report(parsed(json.dumps(document)))[0]
    nodes = {node["@id"]: node for node in document["@graph"]}
    base = "https://bus.example/api/catalog/v1/services/x"
    assert nodes[f"{base}#cost-daring"]["cv:ifAccessedThrough"] == {"@id": f"{base}#channel-daring"}
    assert nodes[f"{base}#cost-daring"]["cv:hasValue"]["@value"] == "0.0"
