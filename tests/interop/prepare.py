"""Gives the scripts of tests/interop what they need of a running platform, as one JSON document:
clients of each kind with their keys, and the cookie of a person who has signed in and agreed.

The person is signed in past the pages (those have tests of their own); everything afterwards is
done by libraries of others over HTTP.
"""

import asyncio
import json
import os
import sys
from datetime import timedelta

from joserfc.jwk import ECKey
from sebalai_identity.applications.actions import Authority, register_application
from sebalai_identity.applications.schema import ApplicationRegister
from sebalai_identity.commands import OPERATOR
from sebalai_identity.consents.actions import grant
from sebalai_identity.desk import Desk
from sebalai_identity.persons.actions import register_person
from sebalai_identity.persons.schema import PersonRegister
from sebalai_identity.sessions.actions import Device, start
from sebalai_identity.settings import IdentitySettings
from sebalai_local.home import from_environment
from sebalai_local.processes import member_environment
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database

BACK = "http://127.0.0.1:9/back"
SCOPES = ["bus.call", "openid", "profile", "offline_access"]
KINDS = {"web": "agency_web", "portal": "portal", "public": "public", "kiosk": "kiosk"}


async def prepare(settings, issuer):
    database, clock = Database(settings), SystemClock()
    authority, clients = Authority(OPERATOR, clock, settings.instance), {}
    async with database.transaction() as session:
        sponsored = PersonRegister(name="Interop", valid_until=clock.now() + timedelta(days=1))
        person = await register_person(session, Desk(OPERATOR, clock), wanted=sponsored)
        opened = await start(
            session, clock, subject=person.id, methods=["swk", "user"], device=Device("interop")
        )
        for name, kind in KINDS.items():
            key = None if kind == "public" else ECKey.generate_key("P-256")
            document = {
                "agency": "diskominfo", "name": f"interop-{name}-{os.getpid()}", "scopes": SCOPES,
                "client": {
                    "kind": kind, "redirect_uris": [BACK],
                    "post_logout_redirect_uris": [f"{BACK}/bye"],
                },
            }  # fmt: skip
            if key is not None:
                document["public_key"] = key.as_dict(private=False)
            wanted = ApplicationRegister.model_validate(document)
            made = await register_application(session, authority, wanted=wanted)
            await grant(session, clock, subject=person.id, client_id=made.client_id, scopes=SCOPES)
            clients[name] = {
                "client_id": str(made.client_id),
                "key": key.as_dict(private=True) if key else None,
            }
    await database.close()
    return {
        "issuer": issuer, "back": BACK, "clients": clients, "subject": str(person.id),
        "cookie": f"sebalai-session={opened.cookie}",
    }  # fmt: skip


def main():
    home = from_environment()
    os.environ.update(member_environment(home, "identity"))
    facts = asyncio.run(prepare(IdentitySettings.from_environment(), home.issuer))
    json.dump(facts, sys.stdout)


if __name__ == "__main__":
    main()
