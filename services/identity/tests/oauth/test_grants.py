"""A table of client assertions that must not pass, and what a good one gives."""

import base64
import contextlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey
from sebalai_identity.oauth import jose
from sebalai_identity.oauth.desk import Server
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.oauth.metadata import document
from sqlalchemy import text

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER = "https://bus.example"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLIENT_ID = UUID("01990000-0000-7000-8000-000000000001")
KEY = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)


def claims(**more):
    base = {
        "iss": str(CLIENT_ID),
        "sub": str(CLIENT_ID),
        "aud": ISSUER,
        "jti": "one",
        "iat": AT,
        "exp": AT + 60,
    } | more
    return {name: value for name, value in base.items() if value is not None}


def signed(header=None, key=KEY, **more):
    head = {"alg": "ES256"} | (header or {})
    return jwt.encode(head, claims(**more), key, algorithms=[head["alg"]])


def b64(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw(header, payload):
    """A JWS over exactly these texts, as no library would make it."""
    model = f"{b64(header.encode())}.{b64(payload.encode())}"
    signature = jws.default_registry.get_alg("ES256").sign(model.encode(), KEY)
    return f"{model}.{b64(signature)}"


def mac_signed():
    """Signed by HMAC with the public key as the secret, as whoever read it could."""
    model = f"{b64(HS256)}.{b64(TEXT.encode())}"
    digest = hmac.digest(KEY.as_pem(private=False), model.encode(), "sha256")
    return f"{model}.{b64(digest)}"


def in_form(assertion, **more):
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    } | more
    return {name: value for name, value in form.items() if value is not None}


@pytest.fixture
async def known(call, loaded, database):
    """The client whose assertions the table holds."""
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO application (id, client_id, agency, name, identifier, scopes, state,"
                " registered_at, changed_at) VALUES (:id, :id, 'dinsos-pmd', 'tabel',"
                " 'ID-BB/GOV/dinsos-pmd/tabel', ARRAY['bus.call'], 'active', :at, :at)"
            ),
            {"id": CLIENT_ID, "at": NOW},
        )
        await session.execute(
            text(
                "INSERT INTO application_key (id, application_id, kid, thumbprint, jwk, valid_from)"
                " VALUES (:id, :id, 'k1', :thumbprint, CAST(:jwk AS jsonb), :at)"
            ),
            {
                "id": CLIENT_ID,
                "thumbprint": KEY.thumbprint(),
                "jwk": json.dumps(KEY.as_dict(private=False)),
                "at": NOW,
            },
        )

    async def send(assertion, **more):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(in_form(assertion, **more))
        return await call("POST", "/oauth/token", content=body, headers=headers)

    return send


async def used(database):
    async with database.transaction() as session:
        return await session.scalar(text("SELECT count(*) FROM used_proof"))


TEXT = json.dumps(claims())
NONE = b'{"alg":"none"}'
HS256 = b'{"alg":"HS256"}'


BAD_CLAIMS = {
    "audience of another": {"aud": "https://other.example"},
    "audience as a list": {"aud": [ISSUER]},
    "audience with a second": {"aud": [ISSUER, "https://other.example"]},
    "audience is the token endpoint": {"aud": f"{ISSUER}/oauth/token"},
    "audience missing": {"aud": None},
    "issuer is another": {"iss": "01990000-0000-7000-8000-000000000002"},
    "issuer missing": {"iss": None},
    "subject missing": {"sub": None},
    "client is no id": {"iss": "bansos", "sub": "bansos"},
    "client id in capitals": {"iss": str(CLIENT_ID).upper() + "A", "sub": str(CLIENT_ID).upper()},
    "client id without hyphens": {"iss": CLIENT_ID.hex, "sub": CLIENT_ID.hex},
    "jti missing": {"jti": None},
    "jti empty": {"jti": ""},
    "jti a number": {"jti": 7},
    "jti with a control character": {"jti": "a\x00b"},
    "jti too long": {"jti": "j" * 129},
    "exp missing": {"exp": None},
    "exp now": {"exp": AT},
    "exp past": {"exp": AT - 1},
    "exp too far": {"exp": AT + 301},
    "exp as text": {"exp": str(AT + 60)},
    "exp true": {"exp": True},
    "exp beyond time": {"exp": 10**300},
    "iat 60 s ahead": {"iat": AT + 60},
    "nbf 60 s ahead": {"nbf": AT + 60},
    "iat negative": {"iat": -1},
}

BAD_ASSERTIONS = {
    "empty parts": "..",
    "not a JWS": "hello",
    "five parts": "a.b.c.d.e",
    "not base64": "!!!.!!!.!!!",
    "padded": signed() + "==",
    "alg none": f"{b64(NONE)}.{b64(TEXT.encode())}.AA",
    "HS256 with the public key": mac_signed(),
    "RS256": signed({"alg": "RS256"}, RSA),
    "PS256": signed({"alg": "PS256"}, RSA),
    "key of another": signed(key=ECKey.generate_key("P-256")),
    "typ of an access token": signed({"typ": "at+jwt"}),
    "typ of a logout token": signed({"typ": "logout+jwt"}),
    "typ of a caller assertion": signed({"typ": "caller+jwt"}),
    "typ of a token with prefix": signed({"typ": "application/at+jwt"}),
    "typ a number": raw('{"alg":"ES256","typ":1}', TEXT),
    "crit": raw('{"alg":"ES256","crit":["exp"],"exp":1}', TEXT),
    "b64": raw('{"alg":"ES256","b64":false,"crit":["b64"]}', TEXT),
    "jwk": raw(json.dumps({"alg": "ES256", "jwk": KEY.as_dict(private=False)}), TEXT),
    "jku": raw('{"alg":"ES256","jku":"http://127.0.0.1/keys"}', TEXT),
    "x5u": raw('{"alg":"ES256","x5u":"http://127.0.0.1/cert"}', TEXT),
    "x5c": raw('{"alg":"ES256","x5c":["AA"]}', TEXT),
    "kid of no key": signed({"kid": "k2"}),
    "kid a number": raw('{"alg":"ES256","kid":1}', TEXT),
    "kid too long": signed({"kid": "k" * 129}),
    "duplicate header member": raw('{"alg":"none","alg":"ES256"}', TEXT),
    "duplicate claim": raw('{"alg":"ES256"}', TEXT[:-1] + ',"jti":"two"}'),
    "claims a list": raw('{"alg":"ES256"}', "[]"),
    "claims NaN": raw('{"alg":"ES256"}', TEXT[:-1] + ',"nbf":NaN}'),
    "claims nested too deeply": raw('{"alg":"ES256"}', '{"a":' * 1200),
    "too long": signed(note="n" * 9_000),
} | {name: signed(**change) for name, change in BAD_CLAIMS.items()}


async def test_good_assertion_passes(known):
    answer = await known(signed({"typ": "JWT", "kid": "k1"}))
    assert answer.json() | {"access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "bus.call",
    }


async def test_raw_assertion_passes_too(known):
    assert (await known(raw('{"alg":"ES256"}', TEXT))).status_code == 200


@pytest.mark.parametrize("name", BAD_ASSERTIONS)
async def test_bad_assertion_gets_no_token(known, database, name):
    answer = await known(BAD_ASSERTIONS[name])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert await used(database) == 0


async def test_client_that_signs_with_another_algorithm_is_told_those_that_discovery_lists(known):
    listed = document(Server(ISSUER, ""), [], has_authorities=False)[
        "token_endpoint_auth_signing_alg_values_supported"
    ]
    assert listed == ["ES256"]
    for name in ("PS256", "RS256", "alg none"):
        answer = await known(BAD_ASSERTIONS[name])
        assert answer.json()["error_description"] == "Sign client_assertion with ES256."


@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_clock_eight_seconds_ahead_passes(known, name):
    assert (await known(signed(**{name: AT + 8}))).status_code == 200


async def test_exp_at_its_limit_passes(known):
    assert (await known(signed(exp=AT + 300))).status_code == 200


async def test_same_jti_under_another_end_is_a_replay(known):
    assert (await known(signed(exp=AT + 10))).status_code == 200
    assert (await known(signed(exp=AT + 300))).status_code == 401


@given(st.text(max_size=300))
def test_any_text_as_assertion_is_refused_and_not_a_fault(text):
    with pytest.raises(OAuthError):
        jose.read(text)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_header_and_claims_are_refused_or_read_and_not_a_fault(header, payload):
    with contextlib.suppress(OAuthError):
        jose.read(raw(header, payload))
