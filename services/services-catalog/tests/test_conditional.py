import pytest
from sebalai_shared.testing.http import system

READS = (
    "/v1/services", "/v1/services/izin-penelitian", "/v1/templates", "/v1/regulations",
    "/v1/calendar?year=2026", "/v1/reference/skm_elements", "/v1/performance",
)  # fmt: skip


@pytest.mark.parametrize("url", READS)
async def test_who_has_the_answer_already_is_sent_nothing(loaded, anonymous, url):
    first = await anonymous.get(url)
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await anonymous.get(url, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await anonymous.get(url, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


async def test_a_changed_answer_has_another_tag(loaded, anonymous, client_of):
    tag = (await anonymous.get("/v1/services/izin-penelitian")).headers["etag"]
    head = client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.decide"))
    await head.post("/v1/services/izin-penelitian/suspension", json={"reason": "Gangguan"})
    again = await anonymous.get("/v1/services/izin-penelitian", headers={"If-None-Match": tag})
    assert again.status_code == 200


async def test_a_problem_has_no_tag(anonymous):
    assert "etag" not in (await anonymous.get("/v1/services/tidak-ada")).headers
