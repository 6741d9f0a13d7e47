"""Identity's figures: what a gateway pays for a token, and what the token endpoint pays for a grant.

Counted in CPU-seconds of the Python process (PostgreSQL has its own), driven over ASGI without a
socket but on the product's own event loop, so that the client's cost stays small; signing of the
client's proofs is left out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import revocation
import sebalai_identity
import sign_ins
import uvloop
from figures import figure
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_gateway.admission.keys import KeyStore
from sebalai_gateway.admission.revoked import RevokedSet
from sebalai_gateway.admission.token import TokenVerifier
from sebalai_identity.app import identity_app
from sebalai_identity.applications.actions import Authority, register_application
from sebalai_identity.applications.schema import ApplicationRegister
from sebalai_identity.commands import OPERATOR, load_reference
from sebalai_identity.consents.actions import grant
from sebalai_identity.oauth.desk import Unregistered
from sebalai_identity.reference import ReferenceFolder
from sebalai_identity.sessions.actions import Device, start
from sebalai_identity.settings import IdentitySettings
from sebalai_local.engines import Engines
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.database import fresh_database

ISSUER, AUDIENCE, BACK = "https://bus.example", "urn:sebalai:gateway:ID-BB", "https://rp.example/b"
TOKENS, REVOKED, GRANTS, FLOWS = 4_000, 200_000, 600, 200
SCOPES = ["bus.call", "openid", "profile", "offline_access"]
REFERENCE = Path(__file__).parents[2] / "deploy/reference"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def run() -> None:
    _token_check()
    uvloop.run(_endpoint())
    revocation.run()


def _rate(count: int, began: float) -> float:
    return count / (time.process_time() - began)


def _token_check() -> None:
    key, now = ECKey.generate_key("P-256", {"kid": "k1"}), int(time.time())
    keys, revoked = KeyStore(), RevokedSet()
    keys.replace(1, [key.as_dict(private=False)])
    revoked.take(1, [(f"sub.{number}", now, now + 360) for number in range(REVOKED)], is_whole=True)
    tokens = [b"Bearer " + _access(key, now, number).encode() for number in range(TOKENS)]
    verifier = TokenVerifier(ISSUER, AUDIENCE, keys, revoked=revoked)
    began = time.process_time()
    for token in tokens:
        verifier.verify(token, "10.0.0.1")
    figure("identity.token_check_cold", _rate(TOKENS, began), "per CPU-second", ">=", 8_000)
    began = time.process_time()
    for _ in range(25):
        for token in tokens:
            verifier.verify(token, "10.0.0.1")
    figure("identity.token_check_warm", _rate(25 * TOKENS, began), "per CPU-second", ">=", 200_000)


def _access(key: ECKey, now: int, number: int) -> str:
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": f"p{number}", "client_id": "c", "jti": str(number),
        "iat": now, "exp": now + 300, "kind": "citizen", "scope": "openid", "sid": "s", "rjti": "r",
    }  # fmt: skip
    return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, claims, key)


class _Rig:
    """The application on a real database, a client of it, and a signed-in person's cookie."""

    def __init__(self, app, key):
        self.app, self.key, self.client_id, self.cookie = app, key, "", ""

    async def __call__(self, method, path, form=None, cookie=None, cookies=None):
        body = urlencode(form or {}).encode()
        path, _, query = path.partition("?")
        headers = [(b"host", b"m"), (b"content-type", b"application/x-www-form-urlencoded")]
        kept = (cookies or {}) | ({"__Host-sebalai-session": cookie} if cookie else {})
        headers += [(b"cookie", f"{name}={value}".encode()) for name, value in kept.items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "",
            "query_string": query.encode(), "headers": headers, "client": ("127.0.0.1", 1),
            "server": ("m", 80),
        }  # fmt: skip
        sent, queue = [], [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            return queue.pop() if queue else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        await self.app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], dict(sent[0]["headers"]), content

    def credentials(self):
        now = int(time.time())
        claims = {
            "iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "jti": str(uuid7()),
            "iat": now, "exp": now + 280,
        }  # fmt: skip
        return {
            "client_assertion_type": ASSERTION,
            "client_assertion": jwt.encode({"alg": "ES256"}, claims, self.key),
        }

    async def token(self, form):
        status, _, content = await self("POST", "/oauth/token", form)
        assert status == 200, content
        return json.loads(content)


async def _endpoint() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sebalai-"))
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=False) as engines:
            rig, database = await _rig(engines, folder)
            await _grants(rig)
            await _flows(rig)
            await sign_ins.measure(rig, database)
            await database.close()
    finally:
        shutil.rmtree(folder)


async def _rig(engines, folder):
    package = Path(sebalai_identity.__file__).parent
    url = await fresh_database(engines.addresses.postgres_admin_url, "bench_identity", package)
    sealing = folder / "sealing.key"
    sealing.write_text(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="))
    settings = IdentitySettings(
        database_url=url, public_url=ISSUER, sealing_key_file=sealing, pool_connections=5
    )
    database, clock, key = Database(settings), SystemClock(), ECKey.generate_key("P-256")
    app = identity_app(settings, database)
    app.state.register = Unregistered()
    rig, person = _Rig(app, key), uuid7()
    wanted = ApplicationRegister.model_validate(
        {
            "agency": "dinsos-pmd",
            "name": "bench",
            "public_key": key.as_dict(private=False),
            "scopes": SCOPES,
            "client": {"kind": "agency_web", "redirect_uris": [BACK]},
        }
    )
    async with database.transaction() as session:
        await load_reference(session, ReferenceFolder(REFERENCE))
        made = await register_application(
            session, Authority(OPERATOR, clock, settings.instance), wanted=wanted
        )
        opened = await start(
            session, clock, subject=person, methods=["swk", "user"], device=Device()
        )
        await grant(session, clock, subject=person, client_id=made.client_id, scopes=SCOPES)
    rig.client_id, rig.cookie = str(made.client_id), opened.cookie
    return rig, database


async def _grants(rig: _Rig) -> None:
    form = {"grant_type": "client_credentials"}
    await rig.token(form | rig.credentials())
    proofs = [rig.credentials() for _ in range(GRANTS)]
    began = time.process_time()
    for proof in proofs:
        await rig.token(form | proof)
    figure("identity.grant_private_key_jwt", _rate(GRANTS, began), "per CPU-second", ">=", 500)


async def _flows(rig: _Rig) -> None:
    verifier = secrets.token_urlsafe(32)
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "client_id": rig.client_id, "response_type": "code", "redirect_uri": BACK,
        "scope": "openid profile offline_access", "code_challenge_method": "S256",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
    }  # fmt: skip
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": verifier}
    proofs, token = [rig.credentials() for _ in range(FLOWS)], ""
    began = time.process_time()
    for proof in proofs:
        path = f"/oauth/authorize?{urlencode(asked)}"
        status, headers, content = await rig("GET", path, cookie=rig.cookie)
        assert status == 303, content
        code = parse_qs(urlsplit(headers[b"location"].decode()).query)["code"][0]
        token = (await rig.token(form | {"code": code} | proof))["refresh_token"]
    figure("identity.code_flow", _rate(FLOWS, began), "per CPU-second", ">=", 200)
    proofs = [rig.credentials() for _ in range(GRANTS)]
    began = time.process_time()
    for proof in proofs:
        again = {"grant_type": "refresh_token", "refresh_token": token}
        token = (await rig.token(again | proof))["refresh_token"]
    figure("identity.refresh", _rate(GRANTS, began), "per CPU-second", ">=", 280)
