"""The register over the reference services and agreements that exchange told of."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from sebalai_services_catalog.processing.actions import take_agreement
from sebalai_shared.events import Event
from sebalai_shared.ids import uuid7

URL = "/v1/processing"
CONSUMER, PROVIDER = "ID-BB/GOV/dpmptsp/perizinan", "ID-BB/GOV/dp3acskb/kependudukan"


@pytest.fixture
def tell(loaded, clock):
    """A fact of exchange about one agreement, taken."""

    async def take(kind, key, at=timedelta(), **more):
        data = {
            "agreement_id": str(key), "consumer": CONSUMER, "provider": PROVIDER,
            "interface": f"{PROVIDER}/penduduk", "purposes": ["layanan-publik"],
            "data_categories": ["identitas"], "rules": [], "by": "x",
            "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z", **more,
        }  # fmt: skip
        type_ = f"exchange.agreement.{kind}.v1"
        event = Event(type_, "urn:sebalai:exchange", str(key), data, clock.now() + at)
        async with loaded.transaction() as session:
            await take_agreement(session, event=event)

    return take


async def agreements(client):
    return [one["id"] for one in (await client.get(f"{URL}/agreements")).json()["items"]]


async def test_every_published_service_is_in_the_register_with_what_it_lacks(loaded, anonymous):
    seen, cursor = [], None
    while True:
        params = {"limit": 50} | ({"cursor": cursor} if cursor else {})
        page = (await anonymous.get(f"{URL}/services", params=params)).json()
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert len({one["service"] for one in seen}) == len(seen) >= 60
    for one in seen:
        assert one["purposes"]
        assert one["purposes"][0]["laws"]
        assert one["provenance"]["status"] == "unverified"
        assert (one["retention"]["archive_code"] is None) == ("retention" in one["lacking"])


async def test_a_service_tells_categories_while_the_agreement_is_in_force(tell, anonymous, clock):
    async def categories():
        one = (await anonymous.get(f"{URL}/services/izin-penelitian")).json()
        (ktp,) = (data for data in one["data"] if data["code"] == "ktp")
        return ktp["categories"]

    assert await categories() == []
    key = uuid7()
    await tell("granted", key)
    assert await categories() == ["identitas"]
    assert await agreements(anonymous) == [str(key)]
    clock.move(timedelta(days=60))
    assert await categories() == []
    assert await agreements(anonymous) == []


async def test_facts_out_of_order_and_clocks_put_back_take_no_end_back(tell, anonymous):
    hour, key = timedelta(hours=1), uuid7()
    await tell("suspended", key, at=2 * hour)
    await tell("granted", key)
    assert await agreements(anonymous) == []
    await tell("resumed", key, at=3 * hour)
    assert await agreements(anonymous) == [str(key)]
    await tell("revoked", key, at=-hour)
    assert await agreements(anonymous) == []
    await tell("resumed", key, at=9 * hour)
    assert await agreements(anonymous) == []


async def test_an_agencys_sheet_holds_its_services_and_what_it_gives(tell, anonymous):
    await tell("granted", uuid7())
    await tell("granted", uuid7(), consumer="=cmd/GOV/x/y", provider="ID-BB/GOV/bakuda/pajak")
    answer = await anonymous.get(f"{URL}/register.csv", params={"agency": "dp3acskb"})
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["jenis"] for row in rows} == {"layanan", "perjanjian"}
    (given,) = (row for row in rows if row["jenis"] == "perjanjian")
    assert (given["penerima"], given["kategori_data"]) == (CONSUMER, "identitas")
    whole = (await anonymous.get(f"{URL}/register.csv")).content.decode("utf-8-sig")
    assert "'=cmd" in whole


async def test_sheets_together_hold_every_service_once_and_the_agreements_in_the_first(
    tell, anonymous
):
    await tell("granted", uuid7())
    seen, kinds, url = [], [], f"{URL}/register.csv?limit=30"
    while url:
        answer = await anonymous.get(url)
        rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
        seen += [row["kegiatan"] for row in rows if row["jenis"] == "layanan"]
        kinds.append({row["jenis"] for row in rows})
        link = answer.links.get("next", {}).get("url", "")
        url = link.removeprefix("https://bus.example/api/catalog")
    assert len(set(seen)) == len(seen) >= 60
    assert kinds == [{"layanan", "perjanjian"}] + [{"layanan"}] * (len(kinds) - 1)
    assert (await anonymous.get(f"{URL}/register.csv?limit=501")).status_code == 422


async def test_who_has_the_register_is_not_sent_it_again(loaded, anonymous):
    for path in ("services", "agreements", "register.csv", "services/izin-penelitian"):
        first = await anonymous.get(f"{URL}/{path}")
        again = await anonymous.get(
            f"{URL}/{path}", headers={"if-none-match": first.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["services?cursor=!", "agreements?cursor=!", "services?agency=A%00", "services?limit=0"]
)
async def test_a_malformed_query_is_refused(anonymous, path):
    answer = await anonymous.get(f"{URL}/{path}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_unknown_service_is_told_so(loaded, anonymous):
    assert (await anonymous.get(f"{URL}/services/tidak-ada")).status_code == 404


async def test_the_register_is_evidence_for_the_protection_of_personal_data(tell, anonymous):
    await tell("granted", uuid7())
    told = (await anonymous.get("/v1/indices/pemdi/2026/evidence")).json()["indicators"][7]
    assert told["number"] == 8
    figures = {one["code"]: one["value"] for one in told["figures"]}
    assert figures["disclosures"] == "1"
    assert 0 < float(figures["processing_recorded"]) <= 100


async def test_a_fact_that_names_no_application_is_set_aside(tell):
    with pytest.raises(ValueError, match="no r1 identifier"):
        await tell("granted", uuid7(), provider="kependudukan")
