"""A research letter whose applicant may let the population registry answer for them."""

from itertools import count
from pathlib import Path

import httpx
import pytest
from sebalai_services_catalog.evidence.source import Answered, FetchFailed
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system

REGISTRY = Path(__file__).parents[4] / "tests/systems/population_registry/app.py"
CARD = "kartu-disabilitas"
KIND = "data-kependudukan"
_KEYS = count()


class Registry:
    """The demonstration registry, asked without a bus between; `down` and `refusing` at will."""

    def __init__(self, app):
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://registry"
        )
        self.asked, self.fails, self.before_answer = [], None, None
        self.numbers, self.compared = {}, []

    async def fetch(self, ask):
        self.asked.append(ask)
        if self.fails:
            raise FetchFailed(self.fails, uuid7())
        answer = await self._client.post(ask.path, json=ask.body)
        if self.before_answer is not None:
            await self.before_answer()
        return Answered(uuid7(), answer.content)

    async def is_number_of(self, person, nik):
        """As identity would say; `numbers` are those of persons it knows."""
        self.compared.append(person)
        return self.numbers.get(person) == nik

    async def receipt(self, message_id):
        return f'{{"message_id": "{message_id}"}}'.encode()


@pytest.fixture(scope="session")
def registry_module():
    import importlib.util  # noqa: PLC0415
    import sys  # noqa: PLC0415

    spec = importlib.util.spec_from_file_location("stand_in_registry", REGISTRY)
    module = sys.modules["stand_in_registry"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def registry(registry_module, app):
    app.state.evidence = Registry(registry_module.create_app())
    return app.state.evidence


@pytest.fixture
def resident(registry_module):
    """One of the invented residents."""
    return next(iter(registry_module._residents().values()))


@pytest.fixture
def subject(resident):
    return {"nik": resident.nik, "family": resident.family}


@pytest.fixture
def applicant(client_of):
    return client_of(system("ID-BB/COM/warga-satu/gawai"))


@pytest.fixture
def stranger(client_of):
    return client_of(system("ID-BB/COM/warga-dua/gawai"))


@pytest.fixture
def holder(client_of):
    return client_of(system("ID-BB/GOV/dp3acskb/kependudukan"))


@pytest.fixture
def keys():
    return lambda: {"Idempotency-Key": f"e{next(_KEYS)}"}


@pytest.fixture
def draft(applicant, keys):
    async def make(client=None):
        body = {"service": CARD}
        answer = await (client or applicant).post("/v1/requests", json=body, headers=keys())
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make


@pytest.fixture
def consented(applicant, keys, registry):
    async def give(request, client=None):
        url = f"/v1/requests/{request['id']}/evidence/{KIND}/consents"
        body = {"explicit": True, "policy": "2026-1"}
        answer = await (client or applicant).post(url, json=body, headers=keys())
        assert answer.status_code == 201, answer.text
        return answer.json()

    return give


@pytest.fixture
def begun(draft, consented):
    """A draft and a consent in it."""

    async def begin():
        request = await draft()
        return request, await consented(request)

    return begin


@pytest.fixture
def step(applicant, subject):
    """`preview`, `acceptance` or `refusal` with a consent in a request."""

    async def take(what, request, consent, client=None, said=None):
        url = f"/v1/requests/{request['id']}/evidence/{KIND}/{what}"
        body = {"consent": consent["id"]}
        if what == "preview":
            body["subject"] = said or subject
        return await (client or applicant).post(url, json=body)

    return take
