"""People around one service: groundwater licence of DPMPTSP (14 working days, fixed fee) and the
research letter (3 working days, free).
"""

from dataclasses import dataclass
from itertools import count

import pytest
from sebalai_shared.testing.http import system

LICENCE = "izin-pengusahaan-air-tanah"
LETTER = "izin-penelitian"
LEASE = "izin-sewa-aset-daerah"
PDF = b"%PDF-1.7 contoh"
_KEYS = count()


@dataclass
class Filed:
    """One request as one caller sees it; `act` reads the revision it was last told."""

    client: object
    body: dict

    async def act(self, act, client=None, **more):
        client = client or self.client
        url = f"/v1/requests/{self.body['id']}/acts"
        body = {"act": act, "revision": self.body["revision"], **more}
        answer = await client.post(url, json=body, headers={"Idempotency-Key": f"a{next(_KEYS)}"})
        if answer.status_code == 200:
            self.body = answer.json()
        return answer

    async def done(self, act, client=None, **more):
        answer = await self.act(act, client, **more)
        assert answer.status_code == 200, answer.text
        return self.body

    async def read(self, client=None):
        answer = await (client or self.client).get(f"/v1/requests/{self.body['id']}")
        self.body = answer.json()
        return self.body


@pytest.fixture
def module(stand_in):
    return stand_in("payment_gateway")


@pytest.fixture
async def bank(module, listening, request):
    """The payment gateway's stand-in; the test's module says with which SECRET it signs."""
    app = module.gateway_app(request.module.SECRET)
    async with listening(app) as url:
        app.state.url = url
        yield app.state


@pytest.fixture
def applicant(client_of):
    return client_of(system("ID-BB/COM/pt-timah-jaya/kantor"))


@pytest.fixture
def officer(client_of):
    return client_of(system("ID-BB/GOV/dpmptsp/loket", "catalog.write"))


@pytest.fixture
def colleague(client_of):
    return client_of(system("ID-BB/GOV/dpmptsp/loket-2", "catalog.write"))


@pytest.fixture
def signer(client_of):
    return client_of(system("ID-BB/GOV/dpmptsp/kepala", "catalog.decide"))


@pytest.fixture
def superior(client_of):
    return client_of(system("ID-BB/GOV/dpmptsp/sekretaris", "catalog.decide"))


@pytest.fixture
def outsider(client_of):
    return client_of(system("ID-BB/GOV/bakuda/pajak", "catalog.write", "catalog.decide"))


@pytest.fixture
def filed(applicant):
    """A request for `service`, submitted complete unless told otherwise."""

    async def make(service=LETTER, client=None, *, submit=True, **more):
        client = client or applicant
        codes = {
            LETTER: ("proposal", "ktp", "pengantar"),
            LICENCE: ("nib", "ktp", "peta", "lingkungan", "rencana"),
            LEASE: ("ktp", "proposal", "npwp"),
        }[service]
        body = {
            "service": service, "submit": submit,
            "answers": {code: {"value": f"isi {code}"} for code in codes}, **more,
        }  # fmt: skip
        answer = await client.post(
            "/v1/requests", json=body, headers={"Idempotency-Key": f"r{next(_KEYS)}"}
        )
        assert answer.status_code == 201, answer.text
        return Filed(client, answer.json())

    return make


@pytest.fixture
def keys():
    """Headers with a new idempotency key at each call."""
    return lambda: {"Idempotency-Key": f"k{next(_KEYS)}"}


@pytest.fixture
def billed(filed, officer):
    """A licence request accepted as complete, so waiting for its fee."""

    async def make():
        request = await filed(LICENCE)
        await request.done("verify", officer)
        await request.done("accept", officer)
        return request

    return make


@pytest.fixture
def processing(filed, officer):
    """A research letter accepted as complete."""

    async def make():
        request = await filed()
        await request.done("verify", officer)
        await request.done("accept", officer)
        return request

    return make


@pytest.fixture
def finish_tasks():
    """Does every officer's task of a request."""

    async def finish(request, client):
        while True:
            left = [
                task
                for task in request.body["tasks"]
                if task["role"] == "officer" and task["state"] in ("open", "claimed")
            ]
            if not left:
                return
            await request.done("complete_task", client, task=left[0]["id"])

    return finish
