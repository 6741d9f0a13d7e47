"""Somebody who represents a business, and an application that calls the bus in their name: its token
is exchanged for one interface and purpose and held by a key (RFC 8693, RFC 9449).
"""

import base64
import hashlib
import json
import time

import httpx
from joserfc import jws
from joserfc.jwk import ECKey
from sebalai_identity.app import vault_of
from sebalai_identity.applications.actions import Authority, register_application
from sebalai_identity.applications.schema import ApplicationRegister
from sebalai_identity.commands import OPERATOR
from sebalai_identity.consents.actions import grant
from sebalai_identity.desk import Desk
from sebalai_identity.persons.actions import register_person
from sebalai_identity.persons.schema import PersonRegister
from sebalai_identity.sessions.actions import Device, start
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7

from tests.flows.test_posting import BACK, Party, represented

SCOPES = ["bus.call", "exchange.manage", "openid", "offline_access", "business"]
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


async def representative(settings, key, application, nib):
    """(the business's id, the person's cookie) of who agreed that the application acts for it."""
    database, clock = Database(settings), SystemClock()
    desk = Desk(OPERATOR, clock, vault_of(settings))
    agency, name = application.split("/")
    async with database.transaction() as session:
        named = PersonRegister(name="Ani Contoh", nik="1971014107859003")
        person = (await register_person(session, desk, wanted=named)).id
        business, _ = await represented(session, desk, person, ("PT Contoh Timah", nib))
        wanted = ApplicationRegister.model_validate({
            "agency": agency, "name": name, "scopes": SCOPES,
            "public_key": key.as_dict(private=False),
            "client": {"kind": "agency_web", "redirect_uris": [BACK]},
        })  # fmt: skip
        authority = Authority(OPERATOR, clock, settings.instance, is_agreed=True)
        client = str((await register_application(session, authority, wanted=wanted)).client_id)
        agreed = [*SCOPES, f"business:{business}"]
        await grant(session, clock, subject=person, client_id=client, scopes=agreed)
        opened = await start(
            session, clock, subject=person, methods=["swk", "user"], device=Device("flow")
        )
    await database.close()
    return business, opened.cookie


class Acting:
    """The application, as it calls for the business."""

    def __init__(self, platform, application, business, cookie):
        self._platform, self._proof_key = platform, ECKey.generate_key("P-256")
        client = platform.application(application)["client_id"]
        self._party = Party(platform, client, platform.key(application))
        scope = "openid offline_access business"
        self._subject = self._party.sign_in(cookie, scope=scope, acting_for=business)

    def call(self, interface, purpose, path, content):
        token = self._exchanged(interface, purpose)
        url = f"{self._platform.gateway}/r1/{interface}{path}"
        told = {"authorization": f"DPoP {token}", "sebalai-purpose": purpose}
        return self._proven(
            url, token, lambda proof: httpx.post(url, content=content, headers=told | proof)
        )

    def _exchanged(self, interface, purpose):
        form = {
            "grant_type": EXCHANGE, "subject_token": self._subject["access_token"],
            "subject_token_type": ACCESS, "audience": interface, "purpose": purpose,
        }  # fmt: skip
        url = f"{self._party.issuer}/oauth/token"
        got = self._proven(url, None, lambda proof: self._party.redeem(headers=proof, **form))
        assert got.status_code == 200, got.text
        return got.json()["access_token"]

    def _proven(self, url, token, send):
        answer = send({"DPoP": self._proof(url, token, None)})
        nonce = answer.headers.get("DPoP-Nonce")
        if answer.status_code in (400, 401) and nonce:
            answer = send({"DPoP": self._proof(url, token, nonce)})
        return answer

    def _proof(self, url, token, nonce):
        claims = {"jti": str(uuid7()), "htm": "POST", "htu": url, "iat": int(time.time())}
        if token is not None:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if nonce is not None:
            claims["nonce"] = nonce
        public = self._proof_key.as_dict(private=False)
        known = {name: public[name] for name in ("kty", "crv", "x", "y")}
        head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": known}
        return jws.serialize_compact(head, json.dumps(claims).encode(), self._proof_key)
