"""A relying party's own side of the provider, and a person who is signed in."""

import base64
import hashlib
import json
import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet
from sebalai_identity.app import identity_app
from sebalai_identity.applications.schema import SENSITIVE_SCOPES
from sebalai_identity.consents import actions as consents
from sebalai_identity.oauth.desk import Authority, Unregistered
from sebalai_identity.sessions import actions as sessions
from sebalai_identity.sessions.actions import Device
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process
from sqlalchemy import text

ISSUER = "https://bus.example"
BACK = "https://rp.example/back"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES = ["bus.call", "openid", "profile", "offline_access"]


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(head, claims, key):
    """A signed token of any header: a library refuses to make what a test must send."""
    model = ".".join(b64(json.dumps(part).encode()) for part in (head, claims))
    signature = jws.default_registry.get_alg("ES256").sign(model.encode(), key)
    return f"{model}.{b64(signature)}"


@pytest.fixture(name="by_hand")
def by_hand_():
    return by_hand


class Party:
    """One client, with as much of the protocol as a test needs to bend."""

    kid = None

    def __init__(self, call, clock, client_id, key=None, proof_key=None):
        self.call, self.clock, self.client_id, self.key = call, clock, client_id, key
        self.proof_key, self.nonce, self.cookie = proof_key, None, None
        self.verifier = secrets.token_urlsafe(32)

    @property
    def now(self):
        return int(self.clock.now().timestamp())

    def request(self, **more):
        challenge = b64(hashlib.sha256(self.verifier.encode()).digest())
        asked = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": "openid profile offline_access",
            "state": "st",
            "nonce": "no",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | more
        return {name: value for name, value in asked.items() if value is not None}

    def credentials(self):
        if self.key is None:
            return {"client_id": self.client_id}
        claims = {
            "iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "jti": str(uuid7()),
            "iat": self.now, "exp": self.now + 60,
        }  # fmt: skip
        named = {"kid": self.kid} if self.kid else {}
        signed = jwt.encode({"alg": "ES256", "typ": "JWT"} | named, claims, self.key)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

    def proof(self, path, method="POST", token=None, header=None, key=None, **more):
        key = key or self.proof_key
        claims = {
            "jti": str(uuid7()), "htm": method, "htu": ISSUER + path, "iat": self.now,
            "nonce": self.nonce, "ath": b64(hashlib.sha256(token.encode()).digest()) if token else None,
        } | more  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)} | (
            header or {}
        )
        return by_hand(head, claims, key)

    async def post(self, path, form, proof=None, headers=None):
        headers = FORM | (headers or {})
        if proof is None and self.proof_key is not None:
            proof = self.proof(path)
        if proof is not None:
            headers["DPoP"] = proof
        answer = await self.call("POST", path, content=urlencode(form), headers=headers)
        self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
        return answer

    async def token(self, proof=None, **form):
        form = {name: value for name, value in form.items() if value is not None}
        again = proof is None
        answer = await self.post("/oauth/token", form | self.credentials(), proof)
        if again and answer.status_code == 400 and answer.json()["error"] == "use_dpop_nonce":
            answer = await self.post("/oauth/token", form | self.credentials())
        return answer

    async def authorize(self, method="GET", **more):
        return await self.raw_authorize(self.request(**more), method)

    async def raw_authorize(self, parameters, method="GET", path="/oauth/authorize"):
        headers = dict(FORM)
        if self.cookie is not None:
            headers["Cookie"] = f"__Host-sebalai-session={self.cookie}"
        encoded = parameters if isinstance(parameters, str) else urlencode(parameters)
        if method == "POST":
            return await self.call("POST", path, content=encoded, headers=headers)
        return await self.call("GET", f"{path}?{encoded}", headers=headers)

    async def further(self, interaction):
        return await self.raw_authorize(
            {"interaction": interaction}, path="/oauth/authorize/continue"
        )

    @staticmethod
    def answered(answer):
        """The parameters at the client's address."""
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    async def code(self, **more):
        answer = await self.authorize(**more)
        assert answer.status_code == 303, answer.text
        return self.answered(answer)["code"]

    async def redeem(self, code, proof=None, **more):
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": BACK,
            "code_verifier": self.verifier,
        } | more  # fmt: skip
        return await self.token(proof, **form)

    async def sign_in(self, **more):
        answer = await self.redeem(await self.code(**more))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refresh(self, token, **more):
        return await self.token(grant_type="refresh_token", refresh_token=token, **more)

    async def claims_of(self, token):
        keys = KeySet.import_key_set((await self.call("GET", "/oauth/jwks")).json())
        return jwt.decode(token, keys, algorithms=["ES256", "RS256"])

    async def introspect(self, token):
        answer = await self.post("/oauth/introspect", {"token": token} | self.credentials())
        assert answer.status_code == 200, answer.text
        return answer.json()


AGENCY = (
    "INSERT INTO agency (id, slug, name, short_name, kind, code, affairs, status, source,"
    " code_status, code_source) VALUES (:id, 'dinsos-pmd', 'Dinas Sosial', 'Dinsos PMD', 'dinas',"
    " '1.06', '{}', 'verified', 'test', 'verified', 'test')"
)


@pytest.fixture
def agreed(call, operator):
    """`await agreed(body)`: the client id of an application that one asked for and another gave."""

    def keeper(subject):
        scopes = frozenset({"identity.clients"})
        return Caller(kind="civil_servant", subject=subject, agency="dinsos-pmd", scopes=scopes)

    async def agreed(body):
        asked = await call("POST", "/v1/client-requests", keeper("first"), json=body)
        assert asked.status_code == 201, asked.text
        path = f"/v1/client-requests/{asked.json()['id']}/decide"
        decision = {"decision": "approve", "reason": "sesuai SK"}
        made = await call("POST", path, keeper("second"), json=decision)
        assert made.status_code == 200, made.text
        applications = (await call("GET", "/v1/applications", operator)).json()["items"]
        found = {one["id"]: one["client_id"] for one in applications}
        return found[made.json()["application_id"]]

    return agreed


@pytest.fixture
async def party_of(call, loaded, operator, clock, agreed):
    async def make(kind="agency_web", *, scopes=SCOPES, dpop=False, name=None, **settings):
        key = None if kind == "public" else ECKey.generate_key("P-256")
        body = {
            "agency": "dinsos-pmd", "name": name or f"rp-{kind.replace('_', '-')}",
            "scopes": list(scopes), "client": {"kind": kind, "redirect_uris": [BACK]} | settings,
        }  # fmt: skip
        if key is not None:
            body["public_key"] = key.as_dict(private=False)
        if SENSITIVE_SCOPES.isdisjoint(scopes):
            answer = await call("POST", "/v1/applications", operator, json=body)
            assert answer.status_code == 201, answer.text
            client_id = answer.json()["client_id"]
        else:
            client_id = await agreed(body)
        proof_key = ECKey.generate_key("P-256") if dpop else None
        return Party(call, clock, client_id, key, proof_key)

    return make


class Anybody(Unregistered):
    """Whoever has a session is known; `authorities` are those a test says."""

    def __init__(self):
        self.authorities = {}

    async def authority(self, *asked):
        return self.authorities.get(asked[2], Authority())


@pytest.fixture
async def call(call):
    call.app.state.register = Anybody()
    return call


@pytest.fixture
def person():
    return uuid7()


@pytest.fixture
def sign_in(database, clock):
    """Signs a person in at the provider; with the browser of the party, if one is named."""

    async def sign_in(person, party=None, methods=("swk", "user"), agrees=True, scopes=SCOPES):
        async with database.transaction() as session:
            opened = await sessions.start(
                session, clock, subject=person, methods=list(methods), device=Device()
            )
            if party is not None and agrees:
                await consents.grant(
                    session, clock, subject=person, client_id=party.client_id, scopes=scopes
                )
        if party is not None:
            party.cookie = opened.cookie
        return opened.session

    return sign_in


@pytest.fixture
async def party(party_of, sign_in, person):
    """A web application whose person is signed in and has agreed."""
    party = await party_of()
    await sign_in(person, party)
    return party


EMPTY = (
    "TRUNCATE authorization_code, pushed_request, refresh_family, used_proof, revocation, interaction,"
    " application_key, application, outbox, idempotency, consent, session,"
    " signing_key, agency, person, act CASCADE"
)


@pytest.fixture(scope="session")
def issuer():
    return ISSUER


@pytest.fixture(scope="session")
def party_type():
    return Party


@pytest.fixture(scope="session")
def agency_row():
    return AGENCY


@pytest.fixture(scope="session")
def tables():
    """Empties whatever a provider at work fills."""
    return EMPTY


@pytest.fixture
async def race(settings, committed, clock, asserter, operator):
    """A party at a provider whose transactions are real and many at a time; emptied at the end."""
    app = identity_app(settings, committed, clock)
    app.state.register = Unregistered()
    number = 0

    async def call(method, path, caller=None, **more):
        nonlocal number
        number += 1
        headers = dict(more.pop("headers", {})) | {"Idempotency-Key": f"race-{number}"}
        if caller is not None:
            headers |= asserter.headers(caller, "identity")
        return await client.request(method, path, headers=headers, **more)

    async def make():
        async with committed.transaction() as session:
            await session.execute(text(AGENCY), {"id": uuid7()})
        key = ECKey.generate_key("P-256")
        body = {
            "agency": "dinsos-pmd", "name": "race", "scopes": SCOPES,
            "public_key": key.as_dict(private=False),
            "client": {"kind": "agency_web", "redirect_uris": [BACK]},
        }  # fmt: skip
        made = (await call("POST", "/v1/applications", operator, json=body)).json()
        party, person = Party(call, clock, made["client_id"], key), uuid7()
        async with committed.transaction() as session:
            opened = await sessions.start(
                session, clock, subject=person, methods=["swk", "user"], device=Device()
            )
            await consents.grant(
                session, clock, subject=person, client_id=party.client_id, scopes=SCOPES
            )
        party.cookie = opened.cookie
        return party

    async with in_process(app) as client:
        yield make
    async with committed.transaction() as session:
        await session.execute(text(EMPTY))
        await session.execute(text("UPDATE key_ring SET version = 0"))
