"""The grant without HTTP and without a database: a table of assertions that must not pass."""

import base64
import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.oauth.grants import ASSERTION_TYPE, GRANT, Server, grant
from sebalai_identity.oauth.metadata import document

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
SERVER = Server("https://bus.example", "urn:sebalai:gateway:ID-BB")
CLIENT_ID = UUID("01990000-0000-7000-8000-000000000001")
KEY = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)


@dataclass(frozen=True)
class FakeKey:
    names: frozenset[str]
    jwk: dict


@dataclass(frozen=True)
class FakeClient:
    client_id: UUID = CLIENT_ID
    agency: str = "dinsos-pmd"
    application: str = "ID-BB/GOV/dinsos-pmd/bansos"
    scopes: frozenset[str] = frozenset({"bus.call"})
    valid_until: datetime | None = None
    keys: tuple[FakeKey, ...] = (FakeKey(frozenset({"k1"}), KEY.as_dict(private=False)),)


class Memory:
    """The storage protocol in memory: another implementation of it, not a stand-in for SQL."""

    def __init__(self, client=None):
        self.known, self.used, self.signed = client or FakeClient(), set(), []

    async def client(self, client_id, _):
        return self.known if client_id == self.known.client_id else None

    async def use_once(self, client_id, jti, _):
        is_new = (client_id, jti) not in self.used
        self.used.add((client_id, jti))
        return is_new

    async def sign(self, claims, kind):
        self.signed.append((claims, kind))
        return "signed"


def claims(**more):
    base = {
        "iss": str(CLIENT_ID),
        "sub": str(CLIENT_ID),
        "aud": SERVER.issuer,
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


async def ask(assertion, storage=None, **more):
    parameters = {
        "grant_type": GRANT,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    } | more
    return await grant(SERVER, storage or Memory(), parameters, NOW)


TEXT = json.dumps(claims())
NONE = b'{"alg":"none"}'
HS256 = b'{"alg":"HS256"}'


BAD_CLAIMS = {
    "audience of another": {"aud": "https://other.example"},
    "audience as a list": {"aud": [SERVER.issuer]},
    "audience with a second": {"aud": [SERVER.issuer, "https://other.example"]},
    "audience is the token endpoint": {"aud": f"{SERVER.issuer}/oauth/token"},
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


async def test_good_assertion_passes():
    storage = Memory()
    answer = await ask(signed({"typ": "JWT", "kid": "k1"}), storage)
    assert answer == {
        "access_token": "signed",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "bus.call",
    }
    assert storage.signed[0][1] == "at+jwt"


async def test_raw_assertion_passes_too():
    assert await ask(raw('{"alg":"ES256"}', TEXT))


@pytest.mark.parametrize("name", BAD_ASSERTIONS)
async def test_bad_assertion_gets_no_token(name):
    storage = Memory()
    with pytest.raises(OAuthError) as refused:
        await ask(BAD_ASSERTIONS[name], storage)
    assert (refused.value.code, refused.value.status) == ("invalid_client", 401)
    assert not storage.signed
    assert not storage.used


async def test_client_that_signs_with_another_algorithm_is_told_those_that_discovery_lists():
    listed = document(SERVER.issuer)["token_endpoint_auth_signing_alg_values_supported"]
    assert listed == ["ES256"]
    for name in ("PS256", "RS256", "alg none"):
        with pytest.raises(OAuthError) as refused:
            await ask(BAD_ASSERTIONS[name])
        assert refused.value.description == "Sign the assertion with ES256."


@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_clock_eight_seconds_ahead_passes(name):
    assert await ask(signed(**{name: AT + 8}))


async def test_exp_at_its_limit_passes():
    assert await ask(signed(exp=AT + 300))


async def test_refused_scope_leaves_the_assertion_unused():
    storage = Memory()
    with pytest.raises(OAuthError, match="Granted are"):
        await ask(signed(), storage, scope="platform.operate")
    assert await ask(signed(), storage)


async def test_token_never_outlives_its_client():
    end = NOW + timedelta(seconds=42)
    storage = Memory(replace(FakeClient(), valid_until=end))
    assert (await ask(signed(), storage))["expires_in"] == 42
    assert storage.signed[0][0]["exp"] == int(end.timestamp())


@given(
    asked=st.sets(
        st.sampled_from(["bus.call", "archive.write", "exchange.manage", "x"]), min_size=1
    ),
    granted=st.frozensets(
        st.sampled_from(["bus.call", "archive.write", "exchange.manage"]), min_size=1
    ),
)
async def test_scope_is_what_was_asked_and_never_more_than_granted(asked, granted):
    storage = Memory(replace(FakeClient(), scopes=granted))
    asking = ask(signed(), storage, scope=" ".join(asked))
    if asked <= granted:
        assert set((await asking)["scope"].split()) == asked
    else:
        with pytest.raises(OAuthError, match="Granted are"):
            await asking


@given(st.text(max_size=300))
async def test_any_text_as_assertion_is_refused_and_not_a_fault(text):
    with pytest.raises(OAuthError):
        await ask(text)
