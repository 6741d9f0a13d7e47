"""A stand-in for an outside OpenID Provider, in the shape of INApas: ES512, private_key_jwt, code.

It shares no code with the relying party that it answers. Nobody types anything: whoever comes is
signed in as `person`. `bad` bends the ID token (`claims`, `header`, `key`), the answer
in the browser (`answer`), discovery (`discovery`) or whole endpoints (`endpoints`).
"""

import base64
import hashlib
import json
import secrets
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jws, jwt
from joserfc.jwk import ECKey

ALGORITHM = "ES512"
DISCOVERY = "/.well-known/openid-configuration"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def _text(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header, claims, key):
    """Whatever header it has, `alg` none included: as an attacker would make it."""
    if header["alg"] == "none":
        parts = (json.dumps(part).encode() for part in (header, claims))
        return ".".join([*(_text(part) for part in parts), ""])
    return jws.serialize_compact(
        header,
        json.dumps(claims).encode(),
        key,
        algorithms=[header["alg"]],
        registry=jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False),
    )


class OutsideProvider:
    """`client_key`: public JWK of the relying party; `now`: seconds since 1970, called."""

    def __init__(self, issuer, client_id, client_key, now, pushes=True):
        self.issuer, self.client_id, self.now, self.pushes = issuer, client_id, now, pushes
        self.client_key, self.key = ECKey.import_key(client_key), ECKey.generate_key("P-521")
        self.person, self.bad, self.seen = {"sub": "outside-1", "acr": "loa2"}, {}, []
        self.asked, self._codes, self._pushed, self._jtis = {}, {}, {}, set()
        self.app = FastAPI()
        self.app.middleware("http")(self._bend)
        self.app.get(DISCOVERY)(self.discovery)
        self.app.get("/jwks")(self.jwks)
        self.app.post("/par")(self.par)
        self.app.get("/authorize")(self.authorize)
        self.app.post("/token")(self.token)

    async def _bend(self, request: Request, call_next):
        self.seen.append(request.url.path)
        made = self.bad.get("endpoints", {}).get(request.url.path)
        return await made() if made is not None else await call_next(request)

    async def discovery(self):
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "authorization_response_iss_parameter_supported": True,
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "code_challenge_methods_supported": ["S256"],
        }
        if self.pushes:
            document["pushed_authorization_request_endpoint"] = f"{self.issuer}/par"
        return document | self.bad.get("discovery", {})

    async def jwks(self):
        public = self.key.as_dict(private=False)
        return {"keys": [public | {"kid": self.key.thumbprint(), "use": "sig"}]}

    def _is_client(self, form):
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            return False
        token = jwt.decode(form["client_assertion"], self.client_key, algorithms=[ALGORITHM])
        claims, is_fresh = token.claims, token.claims["jti"] not in self._jtis
        self._jtis.add(claims["jti"])
        is_named = claims["iss"] == claims["sub"] == form["client_id"] == self.client_id
        return is_fresh and is_named and claims["aud"] == self.issuer and claims["exp"] > self.now()

    async def par(self, request: Request):
        form = await _form(request)
        if not self._is_client(form):
            return JSONResponse({"error": "invalid_client"}, 401)
        reference = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(16)}"
        self._pushed[reference] = form
        return JSONResponse({"request_uri": reference, "expires_in": 60}, 201)

    async def authorize(self, request: Request):
        asked = dict(request.query_params)
        if self.pushes:
            assert set(asked) == {"client_id", "request_uri"}, "the request must be pushed"
            asked = self._pushed.pop(asked["request_uri"])
        assert asked["code_challenge_method"] == "S256"
        self.asked, code = asked, secrets.token_urlsafe(16)
        self._codes[code] = asked | {"person": dict(self.person)}
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        answer |= self.bad.get("answer", {})
        given = {name: value for name, value in answer.items() if value is not None}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(given)}", 303)

    def id_token(self, asked):
        at = int(self.now())
        claims = {"iss": self.issuer, "aud": self.client_id, "nonce": asked["nonce"]}
        claims |= {"iat": at, "exp": at + 300, "auth_time": at}
        claims |= asked["person"] | self.bad.get("claims", {})
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": ALGORITHM, "kid": self.key.thumbprint()} | self.bad.get("header", {})
        return signed(header, claims, self.bad.get("key", self.key))

    async def token(self, request: Request):
        form = await _form(request)
        asked = self._codes.pop(form.get("code"), None)
        if not self._is_client(form):
            return JSONResponse({"error": "invalid_client"}, 401)
        challenge = _text(hashlib.sha256(form["code_verifier"].encode()).digest())
        is_same = asked is not None and asked["redirect_uri"] == form["redirect_uri"]
        if not is_same or asked["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        made = self.bad.get("id_token") or self.id_token(asked)
        return {"access_token": "not-used", "token_type": "Bearer", "id_token": made}


async def _form(request):
    return dict(parse_qsl((await request.body()).decode()))
