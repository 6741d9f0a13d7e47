import pytest
from sebalai_shared.testing.http import system

PEMDI = [3, 2, 2, 3, 3, 1, 2, 2, 1, 2, 3, 2, 3, 3, 2, 2, 3, 2, 2, 3]
EVIDENCE = [{"title": "Data kinerja", "url": "https://bus.example/kinerja"}]


@pytest.fixture
def team(client_of):
    return client_of(system("ID-BB/GOV/diskominfo/tim-spbe", "catalog.decide"))


async def test_a_self_assessment_adds_up_and_shows_what_one_step_gives(loaded, team, anonymous):
    first = (await anonymous.get("/v1/indices/pemdi/2026")).json()
    assert (first["index"], len(first["missing"])) == (None, 20)
    for number, level in enumerate(PEMDI, 1):
        body = {"level": level, "evidence": EVIDENCE}
        assert (await team.put(f"/v1/indices/pemdi/2026/{number}", json=body)).status_code == 200
    told = (await anonymous.get("/v1/indices/pemdi/2026")).json()
    assert (told["index"], told["grade"]) == ("2.40", "Cukup")
    assert (told["gains"][0]["number"], told["gains"][0]["index"]) == (20, "2.55")
    await team.put("/v1/indices/pemdi/2026/20", json={"level": 4, "evidence": EVIDENCE})
    told = (await anonymous.get("/v1/indices/pemdi/2026")).json()
    assert (told["index"], told["grade"]) == ("2.55", "Baik")
    history = (await anonymous.get("/v1/indices/pemdi/indicators/20")).json()
    assert [row["level"] for row in history] == [4, 3]


async def test_only_the_team_assesses_and_never_without_evidence(
    loaded, team, client_of, anonymous
):
    url = "/v1/indices/spbe/2025/1"
    good = {"level": 3, "evidence": EVIDENCE}
    stranger = client_of(system("ID-BB/GOV/bakuda/pajak", "catalog.decide"))
    assert (await stranger.put(url, json=good)).status_code == 403
    assert (await anonymous.put(url, json=good)).status_code == 401
    assert (await team.put(url, json=good | {"evidence": []})).status_code == 422
    assert (await team.put(url, json=good | {"level": 6})).status_code == 422
    assert (await team.put("/v1/indices/spbe/2025/48", json=good)).status_code == 422
    assert (await team.put("/v1/indices/lain/2025/1", json=good)).status_code == 422
