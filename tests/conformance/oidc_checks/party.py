"""The provider under test, seen from outside, and a relying party that a check may bend.

Everything goes over HTTP by what discovery says; nothing is known of the product behind it.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from urllib.parse import urlencode

import httpx
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet
from oidc_checks.browser import Browser

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SIGNATURES = ("ES256", "RS256", "PS256", "Ed25519", "EdDSA")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LEEWAY = 10
APPROVAL_TRIES = 200
DYNAMIC_BACK = "http://127.0.0.1:9/dynamic/back"


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def thumb(text):
    return b64(hashlib.sha256(text.encode()).digest())


def part(token, number):
    """A part of a token, unproven."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[number] + "=="))


def by_hand(head, claims, key, algorithm="ES256"):
    """A signed token of any header: a library refuses to make what a check must send."""
    model = ".".join(b64(json.dumps(part).encode()) for part in (head, claims))
    signature = jws.JWSRegistry(algorithms=[algorithm]).get_alg(algorithm).sign(model.encode(), key)
    return f"{model}.{b64(signature)}"


def without_none(values):
    return {name: value for name, value in values.items() if value is not None}


def public(key):
    return key.as_dict(private=False) | {"use": "sig", "alg": "ES256", "kid": key.thumbprint()}


def registration(key, **more):
    """What a client says of itself; None leaves a member out."""
    return without_none({
        "client_name": "Dynamic", "redirect_uris": [DYNAMIC_BACK], "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"], "scope": "openid offline_access",
        "token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "ES256",
        "token_endpoint_auth_signing_alg": "ES256", "jwks": {"keys": [public(key)]},
    } | more)  # fmt: skip


class Provider:
    """`facts`: issuer, login, password, clients; `refuses`: ours, with its differences on purpose.
    `shift`: moves the provider's clock, where it has one that can be moved; else time is waited.
    """

    def __init__(self, facts, shift=None):
        self.facts, self.issuer = facts, facts["issuer"]
        self.refuses = facts.get("refuses", False)
        self._shift, self.ahead = shift, 0
        self.transport = httpx.AsyncHTTPTransport(verify=False)
        self.http = httpx.AsyncClient(transport=self.transport, timeout=20)
        self.metadata, self._keys = {}, []
        self.browser = self.fresh_browser()
        self.logouts, self.bell = [], None

    async def discover(self):
        answer = await self.http.get(f"{self.issuer}/.well-known/openid-configuration")
        assert answer.status_code == 200, answer.text
        self.metadata = answer.json()

    def fresh_browser(self):
        return Browser(self.transport, self.issuer, self.facts["login"], self.facts["password"])

    def party(self, name="web", **more):
        return Party(self, self.facts["clients"][name], **more)

    async def try_register(self, metadata):
        """The answer of the registration endpoint (RFC 7591 section 3.1)."""
        token = self.facts.get("initial_access_token")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.http.post(
            self.metadata["registration_endpoint"], json=metadata, headers=headers
        )

    async def register(self, key, **more):
        """A client that registered itself, once it may act: `waits` is the member that says so."""
        answer = await self.try_register(registration(key, **more))
        assert answer.status_code == 201, answer.text
        body, waits = answer.json(), self.facts.get("waits", "")
        headers = {"Authorization": f"Bearer {body['registration_access_token']}"}
        for _ in range(APPROVAL_TRIES):
            if body.get(waits) != "requested":
                break
            await asyncio.sleep(0.05)
            body = (await self.http.get(body["registration_client_uri"], headers=headers)).json()
        assert body.get(waits) != "requested", "nobody approves"
        own = {"client_id": body["client_id"], "redirect_uri": body["redirect_uris"][0]}
        return Party(self, own | {"key": key.as_dict(private=True)})

    def now(self):
        return int(time.time()) + self.ahead

    async def pass_time(self, seconds):
        if self._shift is None:
            time.sleep(seconds)
            return
        self.ahead += seconds
        self._shift(self.ahead)

    async def _keys_with(self, kid):
        if kid not in {key.get("kid") for key in self._keys}:
            answer = await self.http.get(self.metadata["jwks_uri"])
            assert answer.status_code == 200, answer.text
            self._keys = answer.json()["keys"]
        return KeySet.import_key_set({"keys": self._keys})

    async def read(self, token):
        """Header and claims of a token that the provider's keys have signed."""
        keys = await self._keys_with(part(token, 0).get("kid"))
        found = jwt.decode(token, keys, algorithms=list(SIGNATURES))
        return found.header, found.claims


class Party:
    """One client. `proof_key`: set where it sends DPoP proofs."""

    def __init__(self, op, client, proof_key=None, *, pushes=False):
        self.op, self.client_id, self.back = op, client["client_id"], client["redirect_uri"]
        self.client, self.key = client, ECKey.import_key(client["key"])
        self.proof_key, self.nonce, self.pushes = proof_key, None, pushes
        self.verifier = secrets.token_urlsafe(32)

    # --- what it sends ------------------------------------------------------------------------
    def request(self, **more):
        asked = {
            "client_id": self.client_id, "response_type": "code", "redirect_uri": self.back,
            "scope": "openid", "state": secrets.token_urlsafe(8), "nonce": secrets.token_urlsafe(8),
            "code_challenge": thumb(self.verifier), "code_challenge_method": "S256",
        } | more  # fmt: skip
        return without_none(asked)

    def assertion(self, head=None, key=None, algorithm="ES256", **more):
        now = self.op.now()
        claims = {
            "iss": self.client_id, "sub": self.client_id, "aud": self.op.issuer,
            "jti": secrets.token_urlsafe(16), "iat": now, "exp": now + 60,
        } | more  # fmt: skip
        head = {"alg": algorithm, "typ": "JWT"} | (head or {})
        return by_hand(head, without_none(claims), key or self.key, algorithm)

    def credentials(self, assertion=None):
        return {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
        }

    def proof(self, url, method="POST", token=None, key=None, head=None, **more):
        key = key or self.proof_key
        claims = {
            "jti": secrets.token_urlsafe(16), "htm": method, "htu": url, "iat": self.op.now(),
            "nonce": self.nonce, "ath": thumb(token) if token else None,
        } | more  # fmt: skip
        public = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
        return by_hand(public | (head or {}), without_none(claims), key)

    # --- how it sends it ----------------------------------------------------------------------
    async def post(self, url, form, make_proof=None, headers=None):
        """`make_proof(url)`: a proof, or a list of them; repeated once with the nonce asked for."""
        if make_proof is None and self.proof_key is not None:
            make_proof = self.proof
        answer = await self._post(url, form, make_proof, headers)
        if make_proof is not None and _wants_nonce(answer):
            if "client_assertion" in form and not form.get("as_it_is"):
                form = form | {"client_assertion": self._again(form["client_assertion"])}
            answer = await self._post(url, form, make_proof, headers)
        return answer

    def _again(self, assertion):
        """The same assertion under a new jti: each is good once."""
        head, claims = part(assertion, 0), part(assertion, 1)
        if head["alg"] != "ES256":
            return assertion
        return by_hand(head, claims | {"jti": secrets.token_urlsafe(16)}, self.key)

    async def _post(self, url, form, make_proof, headers):
        proofs = make_proof(url) if make_proof is not None else []
        proofs = [proofs] if isinstance(proofs, str) else proofs
        whole = [*FORM.items(), *(headers or {}).items(), *(("DPoP", one) for one in proofs)]
        body = form if isinstance(form, str) else urlencode(form)
        answer = await self.op.http.post(url, content=body, headers=whole)
        assert answer.status_code < 500, answer.text
        self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
        return answer

    async def push(self, request, credentials=None, make_proof=None):
        url = self.op.metadata["pushed_authorization_request_endpoint"]
        form = request | (self.credentials() if credentials is None else credentials)
        return await self.post(url, form, make_proof)

    async def pushed(self, request, make_proof=None):
        """The parameters that stand for a request that was pushed."""
        answer = await self.push(request, make_proof=make_proof)
        assert answer.status_code == 201, answer.text
        assert answer.json()["expires_in"] > 0
        return {"client_id": self.client_id, "request_uri": answer.json()["request_uri"]}

    async def authorize(self, browser=None, request=None, method="GET"):
        """The landing of a request, pushed first where this client does so."""
        request = self.request() if request is None else request
        if self.pushes and "request_uri" not in request:
            request = await self.pushed(request)
        browser, url = browser or self.op.browser, self.op.metadata["authorization_endpoint"]
        if method == "POST":
            return await browser.visit(url, request)
        return await browser.visit(f"{url}?{urlencode(request)}")

    async def code(self, browser=None, **more):
        request = self.request(**more)
        landing = await self.authorize(browser, request)
        return self.accepted(landing, request)["code"]

    def accepted(self, landing, request):
        """The parameters of a good answer (RFC 6749 4.1.2, RFC 9207)."""
        assert landing.is_at_client, f"{landing.status} {landing.url} {landing.text[:2000]}"
        assert landing.address == request["redirect_uri"], landing.url
        found = landing.parameters
        assert "error" not in found, found
        assert found.get("state") == request.get("state")
        self.require_issuer(found)
        assert found["code"]
        return found

    def require_issuer(self, found):
        if self.op.metadata.get("authorization_response_iss_parameter_supported"):
            assert found.get("iss") == self.op.issuer

    def refused(self, landing, request, *codes):
        """The parameters of a failure told to the client (RFC 6749 4.1.2.1)."""
        assert landing.is_at_client, f"{landing.status} {landing.url} {landing.text[:2000]}"
        found = landing.parameters
        assert "code" not in found, found
        assert found.get("error") in codes, found
        assert found.get("state") == request.get("state")
        self.require_issuer(found)
        return found

    async def token(self, form, credentials=None, make_proof=None):
        url = self.op.metadata["token_endpoint"]
        whole = form | (self.credentials() if credentials is None else credentials)
        return await self.post(url, without_none(whole), make_proof)

    def redemption(self, code, **more):
        return without_none({
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.back,
            "code_verifier": self.verifier,
        } | more)  # fmt: skip

    async def redeem(self, code, make_proof=None, **more):
        return await self.token(self.redemption(code, **more), make_proof=make_proof)

    async def tokens(self, browser=None, **more):
        """A whole flow: the token answer and the claims of its ID token, both checked."""
        request = self.request(**more)
        landing = await self.authorize(browser, request)
        answer = await self.redeem(self.accepted(landing, request)["code"])
        return await self.granted(answer, request)

    async def granted(self, answer, request):
        """RFC 6749 5.1, OpenID Connect Core 3.1.3.3 and 3.1.3.7."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        kind = "dpop" if self.proof_key is not None else "bearer"
        assert body["token_type"].lower() == kind, body
        assert body["access_token"]
        if "scope" in body:
            assert set(body["scope"].split()) <= set(request["scope"].split()), body["scope"]
        claims = await self.identity(body, request) if "openid" in request["scope"].split() else {}
        return body, claims

    async def identity(self, body, request):
        header, claims = await self.op.read(body["id_token"])
        assert header["alg"] in self.op.metadata["id_token_signing_alg_values_supported"]
        assert claims["iss"] == self.op.issuer
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        assert audience == [self.client_id]
        assert claims.get("azp", self.client_id) == self.client_id
        now = self.op.now()
        assert claims["exp"] > now - LEEWAY
        assert now - 60 <= claims["iat"] <= now + LEEWAY
        assert claims.get("nonce") == request.get("nonce")
        assert 0 < len(claims["sub"]) <= 255
        assert claims["sub"].isascii()
        if "at_hash" in claims:
            digest = hashlib.sha256(body["access_token"].encode()).digest()
            assert claims["at_hash"] == b64(digest[:16])
        if "max_age" in request:
            assert "auth_time" in claims
        return claims

    async def userinfo(self, token, method="GET", make_proof=None, **more):
        """The answer of the protected resource every OpenID Provider has."""
        url = self.op.metadata["userinfo_endpoint"]
        make_proof = make_proof or self.resource_proof
        answer = await self._userinfo(url, method, token, make_proof, more)
        if self.proof_key is not None and _wants_nonce(answer):
            answer = await self._userinfo(url, method, token, make_proof, more)
        return answer

    def resource_proof(self, url, method, token):
        return self.proof(url, method, token) if self.proof_key is not None else []

    async def _userinfo(self, url, method, token, make_proof, more):
        scheme = more.get("scheme", "DPoP" if self.proof_key is not None else "Bearer")
        proofs = make_proof(url, method, token)
        proofs = [proofs] if isinstance(proofs, str) else proofs
        headers = [("DPoP", one) for one in proofs]
        if "body" not in more:
            headers.append(("Authorization", f"{scheme} {token}"))
        answer = await self.op.http.request(method, url, headers=headers, data=more.get("body"))
        assert answer.status_code < 500, answer.text
        self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
        return answer


def _wants_nonce(answer):
    if answer.status_code not in (400, 401) or "DPoP-Nonce" not in answer.headers:
        return False
    return "use_dpop_nonce" in answer.text + answer.headers.get("WWW-Authenticate", "")


def failed(answer, *codes, status=(400, 401)):
    """A failure of RFC 6749 5.2."""
    assert answer.status_code in status, f"{answer.status_code} {answer.text}"
    found = answer.json()
    assert found.get("error") in codes, found
    assert "access_token" not in found
    return found
