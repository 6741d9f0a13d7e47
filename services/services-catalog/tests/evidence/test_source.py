"""The bus as our application sees it, against a stand-in that answers like a gateway."""

import json

import pytest
from fastapi import FastAPI, Request, Response
from joserfc.jwk import ECKey
from sebalai_services_catalog.evidence.source import Ask, Bus, FetchFailed
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_shared.ids import uuid7

MESSAGE = uuid7()


def gateway_app():
    """A stand-in for the gateway: each token is good while it is the last one given."""
    app = FastAPI()
    app.state.given, app.state.answers, app.state.calls = 0, [], []

    @app.post("/oauth/token")
    async def give() -> dict:
        app.state.given += 1
        return {"access_token": f"t{app.state.given}", "expires_in": 300}

    @app.post("/r1/{path:path}")
    async def answer(path: str, request: Request) -> Response:
        app.state.calls.append((path, dict(request.headers)))
        status, body = app.state.answers.pop(0)
        return Response(body, status, headers={"Sebalai-Message-Id": str(MESSAGE)})

    @app.post("/api/identity/v1/persons/{person}/nik/comparison")
    async def compare(person: str, request: Request) -> Response:
        app.state.calls.append((person, await request.json()))
        status, body = app.state.answers.pop(0)
        return Response(body, status)

    return app


@pytest.fixture
async def gateway(listening):
    app = gateway_app()
    async with listening(app) as url:
        app.state.url = url
        yield app.state


@pytest.fixture
async def bus(gateway, clock, tmp_path):
    key = tmp_path / "key.jwk"
    key.write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
    (tmp_path / "client").write_text("klien\n")
    made = Bus(
        CatalogSettings(
            gateway_url=gateway.url, client_id_file=tmp_path / "client", client_key_file=key
        ),
        clock,
    )
    yield made
    await made.aclose()


ASK = Ask("dp3acskb/kependudukan/penduduk", "/residents/search", "tujuan", uuid7(), {"nik": "9"})


async def test_one_token_serves_until_it_is_refused_and_the_call_says_consent_and_purpose(
    bus, gateway
):
    gateway.answers = [(200, b"{}"), (200, b"{}"), (401, b""), (200, b"{}")]
    for _ in range(3):
        answered = await bus.fetch(ASK)
        assert (answered.message_id, answered.content) == (MESSAGE, b"{}")
    assert gateway.given == 2
    path, headers = gateway.calls[0]
    assert path == "ID-BB/GOV/dp3acskb/kependudukan/penduduk/residents/search"
    assert headers["sebalai-consent"] == str(ASK.consent)
    assert headers["sebalai-purpose"] == "tujuan"


async def test_an_application_registered_later_is_used_without_a_new_start(bus, gateway, tmp_path):
    (tmp_path / "client").rename(tmp_path / "later")
    with pytest.raises(FetchFailed) as failed:
        await bus.fetch(ASK)
    assert (failed.value.outcome, gateway.given) == ("refused", 0)
    (tmp_path / "later").rename(tmp_path / "client")
    gateway.answers = [(200, b"{}")]
    assert (await bus.fetch(ASK)).message_id == MESSAGE


@pytest.mark.parametrize(
    ("answer", "is_own"),
    [
        ((200, b'{"is_same": true}'), True),
        ((200, b'{"is_same": false}'), False),
        ((404, b""), False),
        ((422, b""), False),
    ],
)
async def test_identity_says_whose_number_it_is(answer, is_own, bus, gateway):
    gateway.answers = [answer]
    assert await bus.is_number_of("orang-7", "1971014101909902") is is_own
    assert gateway.calls == [("orang-7", {"nik": "1971014101909902"})]


@pytest.mark.parametrize("answer", [(503, b""), (403, b""), (200, b"{}"), (200, b"x")])
async def test_what_identity_does_not_say_is_no_yes(answer, bus, gateway):
    gateway.answers = [answer]
    with pytest.raises(FetchFailed) as failed:
        await bus.is_number_of("orang-7", "1971014101909902")
    assert failed.value.outcome == "unavailable"


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([(404, b"")], "no_match"),
        ([(403, b"")], "refused"),
        ([(401, b""), (401, b"")], "refused"),
        ([(502, b"")], "unavailable"),
        ([(200, b"x" * 70_000)], "unavailable"),
    ],
)
async def test_what_the_bus_refuses_is_told_from_what_it_cannot(answers, outcome, bus, gateway):
    gateway.answers = answers
    with pytest.raises(FetchFailed) as failed:
        await bus.fetch(ASK)
    assert failed.value.outcome == outcome
