"""CKAN's own client against the read API, over a socket, and what only a raw call shows."""

import asyncio

import pytest
from ckanapi import RemoteCKAN
from ckanapi.errors import CKANAPIError, NotFound, SearchQueryError, ValidationError

SLUG = "produksi-lada-putih"
OWN = ["katalog-antarmuka", "katalog-layanan", "kinerja-layanan"]
ACTION = "/api/3/action"


@pytest.fixture
async def ckan(app, publish, listening):
    """`ask(name, …)` by POST as the client does by itself, or by GET."""
    await publish()
    async with listening(app) as address:
        clients = {only: RemoteCKAN(address, get_only=only) for only in (True, False)}

        async def ask(action, get=False, **said):
            return await asyncio.to_thread(clients[get].call_action, action, said)

        yield ask
        for client in clients.values():
            client.close()


async def test_ckans_client_reads_the_catalogue_by_get_and_by_post(ckan):
    for get in (True, False):
        assert await ckan("package_list", get) == [*OWN, SLUG]
        package = await ckan("package_show", get, id=SLUG)
        assert (package["title"], package["num_resources"]) == ("Produksi lada putih", 2)
        assert package["organization"]["title"] == "Dinas Pertanian dan Ketahanan Pangan"
        assert [one["name"] for one in package["groups"]] == ["agri", "econ"]
        assert {"key": "kode_standar_data", "value": "SDN 1.2.3"} in package["extras"]
        assert (await ckan("package_show", get, id=package["id"]))["name"] == SLUG
        resource = await ckan("resource_show", get, id=package["resources"][1]["id"])
        assert (resource["format"], resource["package_id"]) == ("GEOJSON", package["id"])
        found = await ckan("package_search", get, q="lada", fq="organization:dpkp", rows=5)
        assert (found["count"], found["results"]) == (1, [package])


async def test_ckans_client_reads_agencies_themes_and_tags(ckan):
    assert "dpkp" in await ckan("organization_list")
    told = {one["name"]: one for one in await ckan("organization_list", all_fields=True)}
    assert told["dpkp"]["package_count"] == 1
    assert told["bakuda"]["package_count"] == 0
    shown = await ckan("organization_show", id="dpkp", include_datasets=True)
    assert [one["name"] for one in shown["packages"]] == [SLUG]
    assert "agri" in await ckan("group_list")
    assert (await ckan("group_show", id="gove"))["package_count"] == 3
    assert await ckan("tag_list", query="pepper") == ["muntok white pepper"]
    assert len(await ckan("license_list")) == 3
    status = await ckan("status_show")
    assert (status["ckan_version"], status["site_url"]) == ("2.10.0", "https://bus.example")
    assert await ckan("site_read") is True
    latest = await ckan("current_package_list_with_resources", limit=1)
    assert len(latest) == 1
    assert await ckan("package_list", limit=2, offset=1) == OWN[1:]


async def test_a_search_filters_sorts_pages_and_counts(ckan):
    async def names(**said):
        return [one["name"] for one in (await ckan("package_search", **said))["results"]]

    assert await names(sort="name desc") == [SLUG, *reversed(OWN)]
    assert await names(sort="name asc", start=1, rows=2) == OWN[1:]
    assert await names(fq="-groups:gove") == [SLUG]
    assert await names(q='tags:"muntok white pepper"') == [SLUG]
    assert await names(fq_list=["res_format:geojson", "license_id:CC-BY-4.0"]) == [SLUG]
    assert await names(q="tidak-ada") == []
    assert (await ckan("package_search", rows=0))["count"] == 4
    found = await ckan("package_search", **{"facet.field": ["organization", "res_format"]})
    assert found["facets"]["organization"] == {"diskominfo": 3, "dpkp": 1}
    assert found["facets"]["res_format"]["CSV"] == 3
    by_get = await ckan("package_search", True, **{"facet.field": '["groups","tags"]'})
    items = by_get["search_facets"]["groups"]["items"]
    assert items[0] == {
        "name": "gove", "display_name": "Pemerintahan dan sektor publik", "count": 3,
    }  # fmt: skip


async def test_ckans_client_raises_its_own_errors(ckan):
    with pytest.raises(NotFound):
        await ckan("package_show", id="tidak-ada")
    with pytest.raises(NotFound):
        await ckan("resource_show", id=f"{SLUG}--tidak-ada")
    with pytest.raises(ValidationError) as wrong:
        await ckan("package_search", rows=-1)
    assert "rows" in wrong.value.error_dict
    with pytest.raises(ValidationError):
        await ckan("package_show")
    with pytest.raises(ValidationError):
        await ckan("package_search", **{"facet.field": ["secret"]})
    with pytest.raises(SearchQueryError):
        await ckan("package_search", q="a OR b")
    with pytest.raises(CKANAPIError, match="Action name not known: package_create"):
        await ckan("package_create", name="x")


async def test_the_envelope_is_ckans(loaded, anonymous):
    answer = await anonymous.get(f"{ACTION}/package_show?id=tidak-ada")
    assert (answer.status_code, answer.json()) == (
        404,
        {
            "help": "https://bus.example/api/3/action/help_show?name=package_show",
            "success": False,
            "error": {"__type": "Not Found Error", "message": "Not found"},
        },
    )
    helped = (await anonymous.get(f"{ACTION}/help_show?name=package_show")).json()
    assert (helped["success"], helped["result"]) == (True, "One dataset by name or id.")
    broken = await anonymous.post(f"{ACTION}/package_list", content=b"{")
    assert (broken.status_code, broken.json()[:10]) == (400, "JSON Error")
    listed = await anonymous.post(f"{ACTION}/package_list", json=[])
    assert listed.status_code == 400
    first = await anonymous.get(f"{ACTION}/package_list")
    tag = {"if-none-match": first.headers["etag"]}
    assert (await anonymous.get(f"{ACTION}/package_list", headers=tag)).status_code == 304


@pytest.mark.parametrize(
    "query",
    ["q=%00", "start=100001", "rows=x", "id=%00", "limit=-1", "offset=x", "facet.field=%5B1", "q=" + "x" * 501,
     "fq_list=" + "%5B" * 2_000, "fq_list=" + "[" * 1_500, "fq_list=[%22%5Cud800%22]"],
)  # fmt: skip
async def test_malformed_parameters_are_a_validation_error(loaded, anonymous, query):
    action = "package_show" if query.startswith("id") else "package_search"
    action = "package_list" if query.startswith(("limit", "offset")) else action
    answer = await anonymous.get(f"{ACTION}/{action}?{query}")
    assert answer.status_code == 409, answer.text
    assert answer.json()["error"]["__type"] == "Validation Error"


async def test_more_rows_than_allowed_give_what_is_allowed(loaded, anonymous):
    answer = await anonymous.get(f"{ACTION}/package_search?rows=100000")
    assert answer.json()["result"]["count"] == 3
