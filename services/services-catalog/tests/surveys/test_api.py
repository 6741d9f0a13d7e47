from itertools import count

import pytest
from sebalai_shared.testing.http import system
from sqlalchemy import text

KEYS = count()
ELEMENTS = (
    "requirements", "procedure", "completion_time", "fee", "product", "staff_competence",
    "staff_conduct", "complaint_handling", "facilities",
)  # fmt: skip
FOURS = dict.fromkeys(ELEMENTS, 4)


@pytest.fixture
def applicant(client_of):
    return client_of(system("ID-BB/COM/pt-timah-jaya/kantor"))


@pytest.fixture
def office(client_of):
    return client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.write", "catalog.decide"))


async def act(client, body, name, **more):
    answer = await client.post(
        f"/v1/requests/{body['id']}/acts",
        json={"act": name, "revision": body["revision"], **more},
        headers={"Idempotency-Key": f"s{next(KEYS)}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def finished(applicant, office):
    async def make():
        answers = {code: {"value": "x"} for code in ("proposal", "ktp", "pengantar")}
        body = {"service": "izin-penelitian", "submit": True, "answers": answers}
        headers = {"Idempotency-Key": f"s{next(KEYS)}"}
        request = (await applicant.post("/v1/requests", json=body, headers=headers)).json()
        request = await act(office, request, "verify")
        return await act(office, request, "refuse", reason="x", legal_basis="permendagri-3-2018")

    return make


async def invited(client, request):
    return await client.post("/v1/surveys/invitations", json={"request": request["id"]})


async def test_each_finished_request_gives_one_answer_and_no_person(
    finished, applicant, anonymous, loaded
):
    request = await finished()
    code = (await invited(applicant, request)).json()["code"]
    body = {"code": code, "scores": FOURS | {"fee": 3}}
    assert (await anonymous.post("/v1/surveys/answers", json=body)).status_code == 200
    again = await anonymous.post("/v1/surveys/answers", json=body)
    assert (again.status_code, again.json()["type"]) == (409, "urn:sebalai:problem:survey-answered")
    assert (await invited(applicant, request)).status_code == 409
    told = (await anonymous.get("/v1/surveys/izin-penelitian")).json()
    assert (told["respondents"], told["skm"], told["grade"]) == (1, "97.22", "A")
    assert (told["lowest"], told["comparison_0_11"]) == (["fee"], "96.25")
    async with loaded.transaction() as session:
        columns = await session.scalars(
            text(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'survey_answer'"
            )
        )
        assert set(columns) == {"id", "service_id", "service", "agency", "answered_on", "scores"}


async def test_a_new_invitation_makes_the_earlier_code_worthless(finished, applicant, anonymous):
    request = await finished()
    first = (await invited(applicant, request)).json()["code"]
    await invited(applicant, request)
    answer = await anonymous.post("/v1/surveys/answers", json={"code": first, "scores": FOURS})
    assert answer.status_code == 404


async def test_an_open_request_is_not_asked_and_another_caller_not_told(applicant, client_of):
    answers = {code: {"value": "x"} for code in ("proposal", "ktp", "pengantar")}
    body = {"service": "izin-penelitian", "submit": True, "answers": answers}
    headers = {"Idempotency-Key": "open"}
    request = (await applicant.post("/v1/requests", json=body, headers=headers)).json()
    assert (await invited(applicant, request)).status_code == 409
    stranger = client_of(system("ID-BB/COM/lain/kantor"))
    assert (await invited(stranger, request)).status_code == 404


async def test_who_decided_the_request_does_not_get_its_survey(finished, office, applicant):
    request = await finished()
    answer = await invited(office, request)
    assert (answer.status_code, answer.json()["type"]) == (
        403, "urn:sebalai:problem:survey-invitation-refused"
    )  # fmt: skip
    assert (await invited(applicant, request)).status_code == 200


@pytest.mark.parametrize(
    "scores",
    [
        {},
        {"fee": 4},
        FOURS | {"fee": 5},
        FOURS | {"fee": 0},
        {"lain": 4, **dict(list(FOURS.items())[:8])},
    ],
)
async def test_a_partial_or_strange_answer_is_refused_and_the_code_stays(
    finished, applicant, anonymous, scores
):
    code = (await invited(applicant, await finished())).json()["code"]
    answer = await anonymous.post("/v1/surveys/answers", json={"code": code, "scores": scores})
    assert answer.status_code == 422
    good = await anonymous.post("/v1/surveys/answers", json={"code": code, "scores": FOURS})
    assert good.status_code == 200


async def test_without_answers_there_is_no_score_and_advice_on_how_many(loaded, anonymous):
    told = (await anonymous.get("/v1/surveys/legalisasi-ijazah")).json()
    assert (told["respondents"], told["skm"], told["grade"]) == (0, None, None)
    assert (await anonymous.get("/v1/surveys/tidak-ada")).status_code == 404
    size = (await anonymous.get("/v1/surveys/sample-size?population=1000")).json()
    assert size["respondents_wanted"] == 278


async def test_the_agency_plans_for_its_lowest_element_in_public(
    loaded, office, client_of, anonymous
):
    body = {"element": "fee", "plan": "Tarif ditempel di loket", "due_on": "2027-01-31"}
    url = "/v1/surveys/izin-penelitian/plans"
    key = {"Idempotency-Key": "p1"}
    assert (await office.post(url, json=body, headers=key)).status_code == 201
    assert [row["plan"] for row in (await anonymous.get(url)).json()] == ["Tarif ditempel di loket"]
    stranger = client_of(system("ID-BB/GOV/bakuda/pajak", "catalog.decide"))
    assert (await stranger.post(url, json=body, headers=key)).status_code == 403
    assert (
        await office.post(url, json=body | {"element": "lain"}, headers={"Idempotency-Key": "p2"})
    ).status_code == 422


async def test_a_plan_is_carried_out_on_a_day_that_everybody_reads(office, client_of, anonymous):
    body = {"element": "fee", "plan": "Tarif ditempel di loket", "due_on": "2027-01-31"}
    url = "/v1/surveys/izin-penelitian/plans"
    made = (await office.post(url, json=body, headers={"Idempotency-Key": "d1"})).json()
    done = {"done_on": "2026-12-20"}
    stranger = client_of(system("ID-BB/GOV/bakuda/pajak", "catalog.decide"))
    assert (await stranger.put(f"{url}/{made['id']}/completion", json=done)).status_code == 403
    elsewhere = f"/v1/surveys/izin-pengusahaan-air-tanah/plans/{made['id']}/completion"
    assert (await office.put(elsewhere, json=done)).status_code == 404
    assert (await office.put(f"{url}/{made['id']}/completion", json=done)).status_code == 200
    assert [row["done_on"] for row in (await anonymous.get(url)).json()] == ["2026-12-20"]
