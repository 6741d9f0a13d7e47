import pytest
from sebalai_shared.testing.http import system
from sqlalchemy import text

SLUG = "izin-uji-coba"
WHO = "ID-BB/GOV/dpmptsp/perizinan"
HEAD = {
    "name": {"id": "Izin Uji Coba"},
    "summary": {"id": "Mengajukan izin untuk diuji."},
    "audiences": ["pelaku_usaha"],
    "channels": ["daring"],
    "business_event": "memulai-usaha",
    "requirements": [],
    "duration": {"value": 3, "unit": "working_days"},
    "fee": {"kind": "free"},
    "product": {"name": {"id": "Izin"}, "document_type": "izin", "signer": "Kepala DPMPTSP"},
    "legal_basis": ["uu-25-2009", "perda-7-2017"],
}
URL = f"/v1/services/{SLUG}"


@pytest.fixture
def writer(client_of):
    return client_of(system(WHO, "catalog.write"))


@pytest.fixture
def head(client_of):
    return client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.decide"))


@pytest.fixture
def other(client_of):
    return client_of(system("ID-BB/GOV/bakuda/pajak", "catalog.write", "catalog.decide"))


async def begin(client, key="k1", **more):
    body = {"slug": SLUG, "agency": "dpmptsp"} | more
    return await client.post("/v1/services", json=body, headers={"Idempotency-Key": key})


async def in_review(writer, **standard):
    await begin(writer, template="perizinan-ptsp", standard=HEAD | standard)
    return await writer.post(f"{URL}/draft/review")


async def published(writer, head, **standard):
    await in_review(writer, **standard)
    return await head.post(f"{URL}/draft/publication")


async def test_an_officer_writes_and_another_publishes(loaded, writer, head, anonymous):
    assert (await begin(writer)).status_code == 201
    assert (await anonymous.get(URL)).status_code == 404
    draft = (await writer.get(f"{URL}/draft")).json()
    assert {gap["component"] for gap in draft["missing"]} == set(range(15))
    body = {"revision": 1, "template": "perizinan-ptsp", "standard": HEAD}
    draft = (await writer.put(f"{URL}/draft", json=body)).json()
    assert draft["missing"] == []
    assert [gap["pointer"] for gap in draft["advice"]] == ["/decree", "/name/en", "/ral_code"]
    assert (await writer.post(f"{URL}/draft/review")).json()["state"] == "review"
    assert (await head.post(f"{URL}/draft/publication")).json() == {"slug": SLUG, "version": 1}
    service = (await anonymous.get(URL)).json()
    assert service["state"] == "published"
    assert service["flags"] == ["english_missing"]
    assert service["name"] == {"id": "Izin Uji Coba", "en": "Izin Uji Coba"}
    assert "guarantee" in service["inherited"]
    assert "fee" not in service["inherited"]
    assert service["review_by"] == "2029-11-24"
    acts = (await anonymous.get(f"{URL}/acts")).json()
    assert [act["act"] for act in acts] == ["submit", "publish"]


async def test_publishing_an_incomplete_standard_lists_what_is_missing(
    loaded, writer, head, anonymous
):
    await begin(writer, standard={k: v for k, v in HEAD.items() if k != "fee"})
    await writer.post(f"{URL}/draft/review")
    answer = await head.post(f"{URL}/draft/publication")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:sebalai:problem:service-standard-incomplete"
    missing = {(error["component"], error["pointer"]) for error in answer.json()["errors"]}
    assert {(2, "/procedure"), (4, "/fee"), (12, "/guarantee"), (14, "/evaluation")} <= missing
    assert (await anonymous.get(URL)).status_code == 404


async def test_who_wrote_a_draft_cannot_publish_it(loaded, client_of):
    both = client_of(system(WHO, "catalog.write", "catalog.decide"))
    await in_review(both)
    answer = await both.post(f"{URL}/draft/publication")
    assert answer.status_code == 403
    assert "another officer" in answer.json()["detail"]


async def test_a_draft_is_not_published_without_review(loaded, writer, head):
    await begin(writer, template="perizinan-ptsp", standard=HEAD)
    answer = await head.post(f"{URL}/draft/publication")
    assert (answer.status_code, answer.json()["possible"]) == (409, ["submit"])


async def test_an_edit_makes_a_draft_beside_and_the_old_version_stays(
    loaded, writer, head, anonymous
):
    await published(writer, head)
    body = {"revision": 0, "template": "perizinan-ptsp", "standard": HEAD | {"staff_count": 99}}
    assert (await writer.put(f"{URL}/draft", json=body)).status_code == 200
    assert (await anonymous.get(URL)).json()["standard"]["staff_count"] == 8
    await writer.post(f"{URL}/draft/review")
    assert (await head.post(f"{URL}/draft/publication")).json()["version"] == 2
    assert (await anonymous.get(URL)).json()["standard"]["staff_count"] == 99
    first = (await anonymous.get(f"{URL}/versions/1")).json()
    assert (first["version"], first["standard"]["staff_count"]) == (1, 8)
    versions = (await anonymous.get(f"{URL}/versions")).json()["items"]
    assert [version["version"] for version in versions] == [2, 1]


async def test_two_writers_do_not_overwrite_each_other(loaded, writer, head):
    await begin(writer)
    body = {"revision": 1, "standard": HEAD}
    assert (await writer.put(f"{URL}/draft", json=body)).status_code == 200
    answer = await head.put(f"{URL}/draft", json=body)
    assert answer.status_code == 409
    assert answer.json()["changed_by"] == f"client-{WHO}"
    assert answer.json()["revision"] == 2


async def test_a_rejected_draft_goes_back_with_the_reason(loaded, writer, head):
    await in_review(writer)
    answer = await writer.put(f"{URL}/draft", json={"revision": 1, "standard": HEAD})
    assert answer.status_code == 409
    draft = (await head.post(f"{URL}/draft/rejection", json={"reason": "SK belum ada"})).json()
    assert (draft["state"], draft["note"]) == ("draft", "SK belum ada")


async def test_another_agency_sees_no_draft_and_takes_no_part(loaded, writer, other):
    await begin(writer)
    assert (await other.get(f"{URL}/draft")).status_code == 404
    assert (await other.post(f"{URL}/draft/review")).status_code == 404
    assert (await begin(other, key="k2")).status_code == 403
    answer = await other.post("/v1/services/izin-penelitian/suspension", json={"reason": "x"})
    assert answer.status_code == 403


async def test_a_taken_name_is_told_and_the_same_key_answers_again(loaded, writer):
    first = await begin(writer)
    again = await begin(writer)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await begin(writer, key="k2")).status_code == 409


async def test_a_service_is_suspended_resumed_and_retired_with_reasons(loaded, head, anonymous):
    url = "/v1/services/izin-penelitian"
    body = {"reason": "Gangguan sistem"}
    assert (await head.post(f"{url}/suspension", json=body)).json()["state"] == "suspended"
    assert (await anonymous.get(url)).json()["reason"] == "Gangguan sistem"
    assert (await head.post(f"{url}/suspension", json=body)).status_code == 409
    assert (await head.post(f"{url}/resumption", json=body)).json()["state"] == "published"
    assert (await head.post(f"{url}/retirement", json={"reason": "Dihapus"})).json()[
        "state"
    ] == "retired"
    assert (await anonymous.get(url)).json()["state"] == "retired"
    listed = (await anonymous.get("/v1/services?q=Keterangan Penelitian")).json()["items"]
    assert listed == []
    async with loaded.transaction() as session:
        types = await session.scalars(text("SELECT type FROM outbox ORDER BY seq DESC LIMIT 3"))
        assert list(types) == [
            "catalog.service.retired.v1",
            "catalog.service.resumed.v1",
            "catalog.service.suspended.v1",
        ]


async def test_a_service_an_officer_published_is_left_alone_by_its_file(
    loaded, writer, head, anonymous, clock, reference_folder
):
    from sebalai_services_catalog.loading import load_reference  # noqa: PLC0415

    url = "/v1/services/izin-penelitian"
    body = {"revision": 0, "template": "perizinan-ptsp", "standard": HEAD}
    await writer.put(f"{url}/draft", json=body)
    await writer.post(f"{url}/draft/review")
    assert (await head.post(f"{url}/draft/publication")).json()["version"] == 2
    counts = await load_reference(loaded, clock, reference_folder)
    assert counts["service versions published"] == 0
    assert (await anonymous.get(url)).json()["name"]["id"] == "Izin Uji Coba"


async def test_templates_are_public(loaded, anonymous):
    slugs = [row["slug"] for row in (await anonymous.get("/v1/templates")).json()]
    assert "perizinan-ptsp" in slugs


@pytest.mark.parametrize(
    "standard",
    [
        {"fee": {"kind": "gratis"}},
        {"duration": {"value": 0, "unit": "working_days"}},
        {"duration": {"value": 3, "unit": "minggu"}},
        {"staff_count": 0},
        {"name": {"id": "x" * 101}},
        {"name": {"id": "nol\x00"}},
        {"requirements": [{"code": "A B", "name": {"id": "x"}, "kind": "document"}]},
        {"ral_code": "RAB.01"},
        {"unknown": 1},
    ],
)
async def test_a_malformed_standard_is_refused_by_field(loaded, writer, standard):
    answer = await begin(writer, standard=standard)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/standard")


async def test_an_unknown_template_is_a_named_field(loaded, writer):
    answer = await begin(writer, template="tidak-ada")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/template")
