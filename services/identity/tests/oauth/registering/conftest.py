"""A client's own side of its registration, and the agency's people beside it."""

import asyncio
import json
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey
from sebalai_identity.oauth.client_documents import ClientDocuments
from sebalai_shared.addresses import Reach
from sebalai_shared.caller import Caller

BACK = "https://rp.example/back"
TOKENS = "/v1/initial-access-tokens"
ISSUER_PERSON = Caller(
    kind="civil_servant",
    subject="administrator",
    agency="dinsos-pmd",
    scopes=frozenset({"exchange.manage"}),
)
APPROVER = Caller(kind="civil_servant", subject="other", scopes=frozenset({"identity.clients"}))

HANDED_TO = "019abcde-0000-7000-8000-00000000000a"
SECOND = Caller(kind="civil_servant", subject="second", scopes=frozenset({"identity.clients"}))


class Registrar:
    """What a client and the two who decide on it can do."""

    def __init__(self, call, clock):
        self.call, self.clock = call, clock

    def wanted_token(self, **more):
        until = self.clock.now() + timedelta(days=7)
        body = {
            "agency": "dinsos-pmd",
            "purpose": "aplikasi warga",
            "handed_to": HANDED_TO,
            "valid_until": until.isoformat(),
        }
        return body | more

    async def initial(self, caller=ISSUER_PERSON, **more):
        answer = await self.call("POST", TOKENS, caller, json=self.wanted_token(**more))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send(self, token, metadata, method="POST", path="/oauth/register"):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return await self.call(method, path, content=json.dumps(metadata), headers=headers)

    async def register(self, metadata, token=None):
        token = token or (await self.initial())["token"]
        answer = await self.send(token, metadata)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def revoke(self, token):
        answer = await self.call("POST", f"{TOKENS}/{token['id']}/revoke", ISSUER_PERSON)
        assert answer.status_code == 200, answer.text

    async def decide(self, client_id, decision="approve", caller=APPROVER):
        """The answer for the request that waits for this client."""
        query = {"state": "requested", "limit": 100}
        page = (await self.call("GET", "/v1/client-requests", APPROVER, params=query)).json()
        (request,) = [one for one in page["items"] if one["client_id"] == client_id]
        path = f"/v1/client-requests/{request['id']}/decide"
        body = {"decision": decision, "reason": "sesuai SK"}
        return await self.call("POST", path, caller, json=body)

    async def agree(self, client_id):
        """To a later wish: by two."""
        first = await self.decide(client_id)
        assert (first.status_code, first.json()["state"]) == (200, "requested"), first.text
        return await self.decide(client_id, caller=SECOND)

    async def approved(self, metadata):
        made = await self.register(metadata)
        answer = await self.decide(made["client_id"])
        assert answer.status_code == 200, answer.text
        return made

    async def kept(self, made, method="GET", **changes):
        """GET, PUT or DELETE of a registration; `changes` to what was told, None takes away."""
        path = f"/oauth/register/{made['client_id']}"
        body = None
        if method == "PUT":
            body = own(made) | changes
            body = {name: value for name, value in body.items() if value is not None}
        return await self.send(made["registration_access_token"], body, method, path)


def own(made):
    """What a client sends back of what it was told (RFC 7592 section 2.2)."""
    ours = {"registration_access_token", "registration_client_uri", "client_id_issued_at"}
    return {name: value for name, value in made.items() if name not in ours}


@pytest.fixture
def registrar(call, clock, loaded):
    return Registrar(call, clock)


@pytest.fixture
def metadata(key):
    def metadata(**more):
        document = {
            "client_name": "Bansos Warga",
            "redirect_uris": [BACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "jwks": {"keys": [key.as_dict(private=False)]},
            "scope": "openid profile offline_access",
        } | more
        return {name: value for name, value in document.items() if value is not None}

    return metadata


class Documents:
    """A client's own web server on loopback: `served` by path, a document or (status, headers, body)."""

    def __init__(self):
        self.served, self.asked, self.address, self._server = {}, [], "", None

    async def open(self):
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ", 2)[1]
        self.asked.append(path)
        found = self.served.get(path, (404, "", b""))
        if not isinstance(found, tuple):
            found = (200, "", json.dumps(found).encode())
        status, headers, body = found
        lines = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        writer.write(lines.encode() + body)
        await writer.drain()
        writer.close()

    async def close(self):
        self._server.close()
        await self._server.wait_closed()


@pytest.fixture
async def documents(call):
    """Reached by the provider because its operator has named loopback."""
    made = Documents()
    await made.open()
    reader = ClientDocuments(Reach.parse(["127.0.0.0/8"]))
    call.app.state.client_documents = reader
    yield made
    await reader.close()
    await made.close()


@pytest.fixture
def party(party_type, call, clock, key):
    """A registered client at the provider's other endpoints."""
    return lambda made, own=key: party_type(call, clock, made["client_id"], own)


@pytest.fixture
def signed_in(party, sign_in, person):
    """The same, and in front of it somebody who signed in and agreed."""

    async def signed_in(made):
        one = party(made)
        await sign_in(person, one)
        return one

    return signed_in


@pytest.fixture
def other_key():
    return ECKey.generate_key("P-256")
