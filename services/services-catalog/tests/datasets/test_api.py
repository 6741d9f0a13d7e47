"""Datasets from draft to withdrawal, and their catalogue as DCAT-AP."""

from pathlib import Path

import pyshacl
import pytest
from rdflib import DCAT, DCTERMS, RDF, Graph, URIRef
from sebalai_services_catalog.loading import load_reference
from sebalai_shared.testing.http import system
from sqlalchemy import text

SHAPES = Path(__file__).parent / "dcat-ap-3.0.0.ttl"
SLUG = "produksi-lada-putih"
URL = f"/v1/datasets/{SLUG}"
OWN = ["katalog-antarmuka", "katalog-layanan", "kinerja-layanan"]


async def slugs(client, **params):
    answer = await client.get("/v1/datasets", params=params)
    assert answer.status_code == 200, answer.text
    return [one["slug"] for one in answer.json()["items"]]


async def test_the_platforms_own_data_are_there_by_themselves(loaded, anonymous):
    assert await slugs(anonymous) == OWN
    own = (await anonymous.get("/v1/datasets/kinerja-layanan")).json()
    assert (own["agency"], own["described_by"]) == ("diskominfo", "platform")
    for name in OWN:
        said = (await anonymous.get(f"/v1/datasets/{name}")).json()["metadata"]
        for one in said["distributions"]:
            path = one["url"].removeprefix("/api/catalog")
            assert (await anonymous.get(path)).status_code == 200, path


async def test_loading_again_shows_nothing_anew(loaded, clock, reference_folder):
    counts = await load_reference(loaded, clock, reference_folder)
    assert counts["own datasets shown"] == 0


async def test_a_dataset_is_read_once_the_walidata_published_it(
    loaded, write, writer, walidata, anonymous
):
    draft = (await write()).json()
    assert (draft["state"], draft["revision"], draft["possible"]) == ("draft", 1, ["submit"])
    assert (await anonymous.get(URL)).status_code == 404
    assert (await writer.post(f"{URL}/submission")).json()["state"] == "review"
    assert (await anonymous.get(URL)).status_code == 404
    waiting = (await walidata.get("/v1/dataset-reviews")).json()
    assert [one["slug"] for one in waiting] == [SLUG]
    assert (await walidata.post(f"{URL}/publication")).json()["state"] == "published"
    found = (await anonymous.get(URL)).json()
    assert (found["agency"], found["described_by"]) == ("dpkp", "officer")
    assert found["metadata"]["standard"]["unit"] == "Ton"
    assert await slugs(anonymous, q="pepper", agency="dpkp", theme="AGRI") == [SLUG]
    assert await slugs(anonymous, q="pepper", theme="HEAL") == []
    acts = (await writer.get(f"{URL}/acts")).json()
    assert [act["act"] for act in acts] == ["submit", "publish"]


async def test_what_is_sent_back_says_why_and_what_is_withdrawn_stays_gone(
    database, write, writer, walidata, anonymous
):
    await write()
    await writer.post(f"{URL}/submission")
    back = (await walidata.post(f"{URL}/rejection", json={"reason": "Satuan?"})).json()
    assert (back["state"], back["note"]) == ("draft", "Satuan?")
    await writer.post(f"{URL}/submission")
    await walidata.post(f"{URL}/publication")
    gone = await walidata.post(f"{URL}/withdrawal", json={"reason": "Memuat data pribadi"})
    assert gone.json()["state"] == "withdrawn"
    assert (await anonymous.get(URL)).status_code == 404
    assert SLUG not in await slugs(anonymous)
    again = await write(1)
    assert (again.status_code, again.json()["possible"]) == (409, [])
    async with database.transaction() as session:
        rows = await session.execute(
            text("SELECT type FROM outbox WHERE type LIKE 'catalog.dataset.%' ORDER BY seq DESC")
        )
    kinds = [row[0] for row in rows][:2]
    assert kinds == ["catalog.dataset.removed.v1", "catalog.dataset.published.v1"]


async def test_a_revision_is_read_by_nobody_until_it_is_published(
    write, writer, walidata, anonymous, publish
):
    await publish()
    assert (await write(1, frequency="MONTHLY")).json()["is_public"]
    assert (await anonymous.get(URL)).json()["metadata"]["frequency"] == "ANNUAL"
    await writer.post(f"{URL}/submission")
    await walidata.post(f"{URL}/publication")
    assert (await anonymous.get(URL)).json()["metadata"]["frequency"] == "MONTHLY"


async def test_who_wrote_or_sent_it_cannot_publish_it(loaded, write, writer, client_of):
    hand = client_of(system("ID-BB/GOV/diskominfo/data", "catalog.write", "catalog.decide"))
    body = (await write(client=hand)).json()
    assert body["type"] == "urn:sebalai:problem:dataset-act-refused"
    await write()
    await writer.post(f"{URL}/submission")
    operator = client_of(system("ID-BB/GOV/diskominfo/operator", "platform.operate"))
    draft = (await operator.post(f"{URL}/rejection", json={"reason": "x"})).json()
    assert (await write(draft["revision"], client=operator)).status_code == 200
    assert (await writer.post(f"{URL}/submission")).status_code == 200
    refused = await operator.post(f"{URL}/publication")
    assert refused.status_code == 403
    assert "another officer" in refused.json()["detail"]


async def test_other_agencies_neither_see_nor_touch_a_draft(loaded, write, client_of, anonymous):
    await write()
    other = client_of(system("ID-BB/GOV/bakuda/data", "catalog.write", "catalog.decide"))
    assert (await other.get(f"{URL}/draft")).status_code == 404
    assert (await other.post(f"{URL}/submission")).status_code == 404
    assert (await write(1, client=other)).status_code == 403
    assert (await other.get("/v1/dataset-reviews")).status_code == 403
    assert (await anonymous.get(f"{URL}/draft")).status_code == 401


async def test_two_writers_do_not_overwrite_each_other(loaded, write):
    await write()
    assert (await write(1, frequency="DAILY")).json()["revision"] == 2
    late = await write(1)
    assert (late.status_code, late.json()["revision"]) == (409, 2)
    assert (await write(0)).status_code == 409


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"license": "none"}, "license"),
        ({"keywords": ["<b>"]}, "keywords/0"),
        ({"themes": []}, "themes"),
        ({"contact": {"name": "x", "email": "a b@c"}}, "contact/email"),
        ({"contact": {"name": "x", "email": "a<b>@c.example"}}, "contact/email"),
        ({"contact": {"name": "x", "email": "a\n@c.example"}}, "contact/email"),
        ({"temporal": {"start": "2026-01-02", "end": "2026-01-01"}}, "temporal"),
        ({"region": "19.x"}, "region"),
    ],
)
async def test_a_wrong_field_is_named(loaded, write, changes, field):
    answer = await write(**changes)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/metadata/{field}"


@pytest.mark.parametrize(
    "url",
    ["http://data.example/x", "javascript:alert(1)", "//data.example/x", "https://u:p@data.example",
     "https://data.example/a b", "ftp://data.example", "", "https://data.example/a<b>", '/a"b',
     "/a{b}", "/a\\b", "/a`b", "/a|b^c", "/a\nb", "/a%zz", "/a#b#c", "/\u2028"],
)  # fmt: skip
async def test_data_are_linked_by_https_or_a_path_of_ours(loaded, write, url):
    one = {"code": "a", "title": "A", "url": url, "format": "CSV", "media_type": "text/csv"}
    answer = await write(distributions=[one])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/metadata/distributions/0/url"


async def test_an_agency_that_is_not_there_is_refused(loaded, client_of, write):
    nobody = client_of(system("ID-BB/GOV/diskominfo/operator", "platform.operate"))
    body = {"revision": 0, "agency": "tidak-ada", "metadata": {}}
    assert (await nobody.put(f"{URL}/draft", json=body)).status_code == 422


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")
async def test_a_standards_code_breaks_no_name_and_merges_with_nobodys(loaded, publish, anonymous):
    code = 'SDN <1> "2"\n{3}\\`'
    names = ("concept", "definition", "classification", "measure", "unit")
    await publish(standard=dict.fromkeys(names, "Berat") | {"code": code})
    answer = await anonymous.get("/v1/exports/dcat-ap.jsonld")
    graph = Graph().parse(data=answer.text, format="json-ld")
    (standard,) = graph.subjects(RDF.type, DCTERMS.Standard)
    assert standard == URIRef(f"https://bus.example/api/catalog/v1/datasets/{SLUG}#standard")
    Graph().parse(data=graph.serialize(format="nt"), format="nt")


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")
async def test_the_catalogue_is_valid_dcat_ap_and_pages(loaded, publish, anonymous):
    await publish()
    answer = await anonymous.get("/v1/exports/dcat-ap.jsonld")
    graph = Graph().parse(data=answer.text, format="json-ld")
    shapes = Graph().parse(SHAPES)
    conforms, _, told = pyshacl.validate(graph, shacl_graph=shapes, inference="none")
    assert conforms, told
    assert len(set(graph.subjects(RDF.type, DCAT.Dataset))) == 4
    lada = URIRef(f"https://bus.example/api/catalog/v1/datasets/{SLUG}")
    assert {str(one) for one in graph.objects(lada, DCTERMS.title)} == {
        "Produksi lada putih", "White pepper production",
    }  # fmt: skip
    sizes = [graph.value(d, DCAT.byteSize) for d in graph.objects(lada, DCAT.distribution)]
    assert sorted(int(size) for size in sizes if size is not None) == [1200]
    graph.remove((lada, DCTERMS.description, None))
    assert not pyshacl.validate(graph, shacl_graph=shapes, inference="none")[0]
    first = await anonymous.get("/v1/exports/dcat-ap.jsonld?limit=3")
    url = first.links["next"]["url"].removeprefix("https://bus.example/api/catalog")
    last = (await anonymous.get(url)).json()["@graph"]
    assert [n["dct:identifier"] for n in last if n["@type"] == ["dcat:Dataset"]] == [SLUG]
    tag = answer.headers["etag"]
    again = await anonymous.get("/v1/exports/dcat-ap.jsonld", headers={"if-none-match": tag})
    assert again.status_code == 304
