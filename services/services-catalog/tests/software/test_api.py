"""Software of agencies, as a crawler and as the officers who describe it see it."""

from pathlib import Path

import pytest
import yaml
from sebalai_services_catalog.software.actions import load_own
from sebalai_shared.testing.http import system

ROOT = Path(__file__).parents[4] / "publiccode.yml"
URL = "/v1/software"


@pytest.fixture
def officer(client_of):
    return client_of(system("ID-BB/GOV/bakuda/pajak", "catalog.write"))


@pytest.fixture
def other(client_of):
    return client_of(system("ID-BB/GOV/dpmptsp/perizinan", "catalog.write"))


def body(revision=0, agency="bakuda", **more):
    code = yaml.safe_load(ROOT.read_text(encoding="utf-8"))
    code["releaseDate"] = str(code["releaseDate"])
    return {"agency": agency, "revision": revision, "publiccode": code | more}


async def test_a_crawler_finds_the_platforms_own_file_and_reads_it(loaded, anonymous):
    (one,) = (await anonymous.get(URL)).json()["items"]
    assert one["url"] == "https://bus.example/api/catalog/v1/software/sebalai/publiccode.yml"
    answer = await anonymous.get(f"{URL}/sebalai/publiccode.yml")
    assert answer.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(answer.text) == one["publiccode"]
    again = await anonymous.get(
        f"{URL}/sebalai/publiccode.yml", headers={"if-none-match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_an_agency_describes_its_software_on_the_revision_it_read(
    loaded, anonymous, officer, other
):
    first = await officer.put(f"{URL}/e-pajak", json=body())
    assert (first.status_code, first.json()["revision"]) == (200, 1)
    again = await officer.put(f"{URL}/e-pajak", json=body())
    assert (again.status_code, again.json()["revision"]) == (409, 1)
    second = await officer.put(f"{URL}/e-pajak", json=body(1, name="e-Pajak"))
    assert second.json()["publiccode"]["name"] == "e-Pajak"
    for client, wanted in ((other, body(2)), (other, body(2, "dpmptsp"))):
        assert (await client.put(f"{URL}/e-pajak", json=wanted)).status_code == 403
    assert (await anonymous.put(f"{URL}/e-pajak", json=body(2))).status_code == 401
    slugs = [one["slug"] for one in (await anonymous.get(URL)).json()["items"]]
    assert slugs == ["e-pajak", "sebalai"]
    mine = (await anonymous.get(URL, params={"agency": "bakuda"})).json()["items"]
    assert [one["slug"] for one in mine] == ["e-pajak"]


async def test_what_is_withdrawn_is_gone_and_its_slug_stays_the_agencys(
    loaded, anonymous, officer, other
):
    await officer.put(f"{URL}/e-pajak", json=body())
    assert (await other.delete(f"{URL}/e-pajak")).status_code == 403
    assert (await officer.delete(f"{URL}/e-pajak")).status_code == 204
    for address in (f"{URL}/e-pajak", f"{URL}/e-pajak/publiccode.yml"):
        assert (await anonymous.get(address)).status_code == 404
    assert (await officer.delete(f"{URL}/e-pajak")).status_code == 404
    assert (await other.put(f"{URL}/e-pajak", json=body(0, "dpmptsp"))).status_code == 403
    assert (await officer.put(f"{URL}/e-pajak", json=body())).json()["revision"] == 3


async def test_a_wrong_file_is_refused_naming_the_field(loaded, officer):
    answer = await officer.put(f"{URL}/e-pajak", json=body(developmentStatus="ready"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/publiccode/developmentStatus"


async def test_loading_again_leaves_what_an_officer_wrote(loaded, clock, client_of, anonymous):
    diskominfo = client_of(system("ID-BB/GOV/diskominfo/sebalai", "catalog.write"))
    wanted = body(1, "diskominfo", name="Sebalai Babel")
    assert (await diskominfo.put(f"{URL}/sebalai", json=wanted)).status_code == 200
    async with loaded.transaction() as session:
        assert await load_own(session, clock) == 0
    assert (await anonymous.get(f"{URL}/sebalai")).json()["publiccode"]["name"] == "Sebalai Babel"


@pytest.mark.parametrize("query", ["cursor=!", "cursor=WzFd", "limit=0", "agency=A"])
async def test_a_malformed_query_is_refused(anonymous, query):
    assert (await anonymous.get(f"{URL}?{query}")).status_code == 422
