"""The token endpoint and discovery over HTTP, on a real database."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sebalai_identity.app import ROUTERS
from sebalai_shared.ids import uuid7

ISSUER = "https://bus.example"
AUDIENCE = "urn:sebalai:gateway:ID-BB"


async def decoded(call, answer):
    keys = KeySet.import_key_set((await call("GET", "/oauth/jwks")).json())
    return jwt.decode(answer.json()["access_token"], keys, algorithms=["ES256"])


async def test_client_gets_exactly_the_token_of_the_wiring(call, client, clock):
    answer = await client.send(client.form(resource=AUDIENCE))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body | {"access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "bus.call exchange.manage",
    }
    token = await decoded(call, answer)
    now = int(clock.now().timestamp())
    assert token.header["typ"] == "at+jwt"
    assert token.header["alg"] == "ES256"
    assert UUID(token.claims.pop("jti")).version == 7
    assert token.claims == {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": client.client_id,
        "client_id": client.client_id,
        "iat": now,
        "exp": now + 300,
        "scope": "bus.call exchange.manage",
        "kind": "system",
        "agency": "dinsos-pmd",
        "application": "ID-BB/GOV/dinsos-pmd/bansos",
    }


async def test_client_narrows_its_scope(call, client):
    answer = await client.send(client.form(scope="bus.call"))
    assert answer.json()["scope"] == "bus.call"
    assert (await decoded(call, answer)).claims["scope"] == "bus.call"


async def test_stranger_cannot_tell_a_client_from_none(call, client):
    """By what is answered to who proves nothing, or proves it by another key."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    nobody, other_key = str(uuid7()), ECKey.generate_key("P-256")
    answers = []
    for name in (client.client_id, nobody):
        forged = client.assertion(key=other_key, iss=name, sub=name)
        for proof in ({"client_id": name}, client.form(forged)):
            for path in ("/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke"):
                form = {"grant_type": "client_credentials", "token": "x"} | proof
                answer = await call("POST", path, content=urlencode(form), headers=headers)
                answers.append((path, "client_id" in proof, answer.status_code, answer.json()))
    half = len(answers) // 2
    assert answers[:half] == answers[half:]
    assert {status for *_, status, _ in answers} == {401}


async def test_assertion_is_used_once(client):
    form = client.form()
    assert (await client.send(form)).status_code == 200
    again = await client.send(form)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert again.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"scope": "platform.operate"}, 400, "invalid_scope"),
        ({"scope": "bus.call  "}, 400, "invalid_scope"),
        ({"resource": "urn:other"}, 400, "invalid_target"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_assertion_type": None}, 401, "invalid_client"),
        ({"client_assertion": ""}, 401, "invalid_client"),
        ({"client_assertion": None, "client_secret": "s"}, 401, "invalid_client"),
        ({"client_id": "01990000-0000-7000-8000-000000000000"}, 401, "invalid_client"),
    ],
)
async def test_client_with_a_wrong_parameter_is_told_which(client, change, status, error):
    answer = await client.send(client.form(**change))
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"


async def test_each_parameter_comes_once(client):
    answer = await client.send(urlencode(client.form()) + "&scope=bus.call&scope=bus.call")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "body", ["a=%ff", "a=é".encode(), "&".join(f"p{n}=1" for n in range(50)), "a" * 40_000]
)
async def test_malformed_form_is_an_invalid_request(call, body):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await call("POST", "/oauth/token", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_json_body_is_an_invalid_request(call, client):
    answer = await call("POST", "/oauth/token", json=client.form())
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_strange_and_suspended_clients_get_one_and_the_same_answer(
    call, client, operator, registered
):
    other = await client.send(client.form(client.assertion(key=ECKey.generate_key("P-256"))))
    unknown = "01990000-0000-7000-8000-000000000000"
    strange = await client.send(client.form(client.assertion(iss=unknown, sub=unknown)))
    path = f"/v1/applications/{registered['id']}/suspend"
    assert (await call("POST", path, operator, json={"reason": "lost key"})).status_code == 200
    suspended = await client.send(client.form())
    assert other.status_code == strange.status_code == suspended.status_code == 401
    assert other.json() == strange.json() == suspended.json()


async def test_token_ends_with_its_client(call, client, operator, wanted, clock):
    end = clock.now() + timedelta(seconds=100)
    body = wanted(valid_until=end.isoformat())
    assert (await call("POST", "/v1/applications", operator, json=body)).status_code == 201
    answer = await client.send(client.form())
    assert answer.json()["expires_in"] == 100
    clock.move(timedelta(seconds=100))
    assert (await client.send(client.form())).status_code == 401


async def test_kid_of_the_client_or_its_thumbprint_choose_the_key(client, key):
    named = client.assertion(header={"kid": key.thumbprint()})
    assert (await client.send(client.form(named))).status_code == 200
    wrong = client.assertion(header={"kid": "other"})
    assert (await client.send(client.form(wrong))).status_code == 401


async def test_page_of_another_site_may_call_what_looks_at_no_cookie_and_nothing_else(call, client):
    page = {"Origin": "https://app.example"}
    asked = page | {
        "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,dpop",
    }  # fmt: skip
    for path, is_open in (("/oauth/token", True), ("/oauth/logout", False), ("/sign-in", False)):
        first = await call("OPTIONS", path, headers=asked)
        assert (first.status_code == 200) == is_open
        assert first.headers.get("Access-Control-Allow-Origin") == ("*" if is_open else None)
    answer = await call("POST", "/oauth/token", headers=page)
    assert "DPoP-Nonce" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" in (await call("GET", "/oauth/jwks", headers=page)).headers
    own = await call("GET", "/v1/agencies", headers=page)
    assert "Access-Control-Allow-Origin" not in own.headers


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
async def test_discovery_names_only_what_exists(call, name):
    document = (await call("GET", f"/.well-known/{name}")).json()
    assert document["issuer"] == ISSUER
    assert document["token_endpoint"] == f"{ISSUER}/oauth/token"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["response_types_supported"] == ["code"]
    assert document["authorization_response_iss_parameter_supported"]
    paths = {route.path for router in ROUTERS for route in router.routes}
    for member, address in document.items():
        if member.endswith("_endpoint"):
            assert address.removeprefix(ISSUER) in paths, member
    assert (await call("GET", document["jwks_uri"].removeprefix(ISSUER))).status_code == 200
