"""A small real HTTP server in the gateway's place: it checks the portal's token as the platform
would, counts what was asked, and fails where a test tells it to.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import socket
import threading
from collections import Counter
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared.ids import uuid7
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT_ID = "019a0000-0000-7000-8000-00000000000a"
ISSUER = "https://sebalai.example"
PLATFORM = "/r1/ID-BB/GOV/diskominfo/sebalai"
FAILED_CALL = "019a0000-0000-7000-8000-0000000000ff"


class Gateway:
    def __init__(self, key: ECKey) -> None:
        self.key = key
        self.asked: Counter[str] = Counter()
        self.queries: list[str] = []
        self.purposes: set[str] = set()
        self.assertions: list[dict] = []
        self.answers: dict[str, object] = {}
        self.fails: dict[str, int] = {}
        self.delay_seconds = 0.0
        self.expires_in = 300
        self.revoked: set[str] = set()
        self.people = People(self)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/livez", self.livez),
                Route("/oauth/token", self.token, methods=["POST"]),
                *self.people.routes(),
                Route(PLATFORM + "/{interface}/{path:path}", self.interface),
            ]
        )

    async def livez(self, _: Request) -> Response:
        return JSONResponse({}, self.fails.get("livez", 200))

    async def token(self, request: Request) -> Response:
        self.asked["token"] += 1
        if "token" in self.fails:
            return JSONResponse({"error": "invalid_client"}, self.fails["token"])
        form = await _form(request)
        found = jwt.decode(form["client_assertion"], self.key, algorithms=["ES256"])
        if form["grant_type"] != "client_credentials":
            return self.people.tokens(form)
        self.assertions.append(found.claims)
        return JSONResponse(
            {"access_token": f"token-{self.asked['token']}", "expires_in": self.expires_in}
        )

    async def interface(self, request: Request) -> Response:
        name = request.path_params["interface"]
        self.asked[name] += 1
        self.queries.append(request.url.query)
        self.purposes.add(request.headers["Sebalai-Purpose"])
        await asyncio.sleep(self.delay_seconds)
        headers = {"Sebalai-Message-Id": FAILED_CALL}
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token in self.revoked:
            return JSONResponse({}, 401, headers=headers)
        if name in self.fails:
            return JSONResponse({}, self.fails[name], headers=headers)
        answer = self.answers.get("/" + request.path_params["path"])
        if answer is None or isinstance(answer, int):
            return JSONResponse({}, answer or 404, headers=headers)
        if isinstance(answer, str):
            return Response(answer, media_type="application/json", headers=headers)
        if isinstance(answer, list):
            limit = int(request.query_params["limit"])
            more = "more" if len(answer) > limit else None
            return JSONResponse({"items": answer[:limit], "next": more}, headers=headers)
        return JSONResponse(answer, headers=headers)


TIMAH = {
    "business": "019a0000-0000-7000-8000-0000000000b1", "name": "PT Contoh Timah",
    "nib": "8120001234567", "capacity": "director",
}  # fmt: skip


def field(page, name: str) -> str:
    """The value of a hidden field on a page."""
    return re.search(rf'name="{name}" value="([^"]*)"', page.text).group(1)


async def begin_sign_in(visitor, who: str, path: str) -> str:
    """The name of the pushed request of a sign-in that is under way."""
    form = await visitor.get("/masuk", params={"tujuan": path})
    sent = {"csrf": field(form, "csrf"), "tujuan": field(form, "tujuan"), "untuk": who}
    answer = await visitor.post("/masuk", data=sent)
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["request_uri"][0]


class People:
    """Identity as the portal sees it when it signs people in, and the catalogue as they see it:
    what is filed is kept by party, as told by the token it came with.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.pushed: dict[str, dict] = {}
        self.acting_for: dict | None = None
        self.ended: set[str] = set()
        self.refused: set[str] = set()
        self.complaints: list[tuple[str, dict]] = []
        self.keys: dict[str, str] = {}
        self.drafts: dict[str, tuple[str, dict]] = {}
        self.documents: list[tuple[str, str, bytes]] = []
        self.problem: tuple[int, str] | None = None
        self._parties: dict[str, dict | None] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/oauth/par", self.par, methods=["POST"]),
            Route("/oauth/revoke", self.revoke, methods=["POST"]),
            Route("/oauth/userinfo", self.userinfo),
            Route("/api/catalog/v1/requests", self.requests, methods=["GET"]),
            Route("/api/catalog/v1/requests", self.begin, methods=["POST"]),
            Route("/api/catalog/v1/requests/{id}", self.request),
            Route("/api/catalog/v1/requests/{id}/answers", self.answer, methods=["PUT"]),
            Route("/api/catalog/v1/requests/{id}/acts", self.act, methods=["POST"]),
            Route("/api/catalog/v1/requests/{id}/documents/{code}", self.attach, methods=["PUT"]),
            Route("/api/catalog/v1/complaints", self.listed, methods=["GET"]),
            Route("/api/catalog/v1/complaints", self.file, methods=["POST"]),
        ]

    async def par(self, request: Request) -> Response:
        form = await _form(request)
        if "par" in self._gateway.fails:
            return JSONResponse({}, self._gateway.fails["par"])
        uri = f"urn:ietf:params:oauth:request_uri:{len(self.pushed)}"
        self.pushed[uri] = form
        return JSONResponse({"request_uri": uri, "expires_in": 90}, 201)

    def tokens(self, form: dict) -> Response:
        """`code` names the pushed request, whose challenge the verifier must answer."""
        if form["grant_type"] == "authorization_code":
            asked = self.pushed[form["code"]]
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if asked["code_challenge"] != challenge or form["code"] in self.ended:
                return JSONResponse({"error": "invalid_grant"}, 400)
            self.ended.add(form["code"])
            party = None if asked.get("acting_for") == "self" else self.acting_for
            refresh = f"refresh-{len(self._parties)}"
        else:
            refresh = form["refresh_token"]
            party = self._parties[f"access-{refresh}"]
            if refresh in self.ended:
                return JSONResponse({"error": "invalid_grant"}, 400)
        self._parties[f"access-{refresh}"] = party
        body = {"access_token": f"access-{refresh}", "refresh_token": refresh}
        return JSONResponse(body | {"expires_in": self._gateway.expires_in})

    async def revoke(self, request: Request) -> Response:
        self.ended.add((await _form(request))["token"])
        return Response(status_code=200)

    async def userinfo(self, request: Request) -> Response:
        party = self._parties[_bearer(request)]
        told = {"sub": "s", "name": "Ani Contoh"}
        return JSONResponse(told | ({"acting_for": party} if party else {}))

    def _party(self, request: Request) -> str | None:
        token = _bearer(request)
        if token.removeprefix("access-") in self.ended | self.refused:
            return None
        party = self._parties[token]
        return party["business"] if party else "diri"

    async def requests(self, request: Request) -> Response:
        assert request.query_params["mine"] == "true"
        party = self._party(request)
        if party is None:
            return JSONResponse({}, 401)
        own = [row for owner, row in self.drafts.values() if owner == party]
        return JSONResponse({"items": own, "next": None})

    async def begin(self, request: Request) -> Response:
        party, key = self._party(request), request.headers["Idempotency-Key"]
        if self.problem is not None:
            status, slug = self.problem
            return JSONResponse({"type": f"urn:sebalai:problem:{slug}"}, status)
        if key not in self.keys:
            said = await request.json()
            assert said["submit"] is False
            self.keys[key] = str(uuid7())
            row = {
                "id": self.keys[key], "ticket": f"BB-{len(self.keys)}", "state": "draft",
                "service": said["service"], "agency": "dpmptsp", "revision": 1, "answers": {},
                "possible": ["submit", "discard"], "marks": [], "reason": None, "due_at": None,
                "reply_by": "2026-12-24T02:00:00Z", "clock": {"due_text": None},
            }  # fmt: skip
            self.drafts[self.keys[key]] = party, row
        return JSONResponse(self.drafts[self.keys[key]][1], 201)

    def _own(self, request: Request) -> dict | None:
        party, row = self.drafts.get(request.path_params["id"], (None, None))
        return row if party == self._party(request) else None

    async def request(self, request: Request) -> Response:
        row = self._own(request)
        return JSONResponse(row or {}, 200 if row else 404)

    async def answer(self, request: Request) -> Response:
        row, said = self._own(request), await request.json()
        assert said["revision"] == row["revision"]
        for code, one in said["answers"].items():
            if one is None:
                row["answers"].pop(code)
            else:
                row["answers"][code] = {"kind": "value", **one}
        row["revision"] += 1
        return JSONResponse(row)

    async def act(self, request: Request) -> Response:
        row, said = self._own(request), await request.json()
        assert said["revision"] == row["revision"]
        assert request.headers["Idempotency-Key"]
        if said["act"] == "submit" and "proposal" not in row["answers"]:
            return JSONResponse({"type": "urn:sebalai:problem:request-incomplete"}, 422)
        ended = {"discard": "discarded", "submit": "submitted", "resubmit": "verifying"}
        row |= {"state": ended[said["act"]], "possible": [], "revision": row["revision"] + 1}
        return JSONResponse(row)

    async def attach(self, request: Request) -> Response:
        row, code = self._own(request), request.path_params["code"]
        if request.query_params["revision"] != str(row["revision"]):
            return JSONResponse({"type": "urn:sebalai:problem:request-moved-on"}, 409)
        content, kind = await request.body(), request.headers["Content-Type"]
        if not content.startswith(b"%PDF-"):
            return JSONResponse({"type": "urn:sebalai:problem:document-refused"}, 422)
        self.documents.append((code, kind, content))
        row["answers"][code] = {"kind": "document", "name": request.query_params["name"]}
        row["revision"] += 1
        return JSONResponse(row)

    async def listed(self, request: Request) -> Response:
        party = self._party(request)
        if party is None:
            return JSONResponse({}, 401)
        return JSONResponse({"items": [c for p, c in self.complaints if p == party], "next": None})

    async def file(self, request: Request) -> Response:
        party, key = self._party(request), request.headers["Idempotency-Key"]
        if party is None:
            return JSONResponse({}, 401)
        if self.problem is not None:
            status, slug = self.problem
            return JSONResponse({"type": f"urn:sebalai:problem:{slug}"}, status)
        said = await request.json()
        if key not in self.keys:
            self.keys[key] = f"ADU-{len(self.keys)}"
            row = {
                "id": str(uuid7()), "ticket": self.keys[key], "deadline_at": None,
                "public_state": "belum_ditindaklanjuti",
            }  # fmt: skip
            self.complaints.append((party, said | row))
        return JSONResponse({"ticket": self.keys[key]}, 201)


async def _form(request: Request) -> dict[str, str]:
    read = parse_qs((await request.body()).decode())
    return {name: values[0] for name, values in read.items()}


def _bearer(request: Request) -> str:
    return request.headers["Authorization"].removeprefix("Bearer ")


@contextmanager
def serving(gateway: Gateway):
    """Serves on a free loopback port until the block ends; gives the address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(gateway.app(), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    listening.listen()
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def agency(slug: str, name: str, *, verified: bool = True) -> dict:
    status = "verified" if verified else "unverified"
    return {"slug": slug, "name": name, "provenance": {"status": status, "source": "…"}}


def service(name: str, **more: object) -> dict:
    return {
        "name": {"id": name, "en": f"{name} (en)"},
        "agency": "dinsos-pmd",
        "summary": {"id": "Ringkasan", "en": ""},
        "provenance": {"status": "synthetic", "source": "…"},
        **more,
    }


def call(number: int, **more: object) -> dict:
    """A row of the list of calls, as the portal's redacted view has it."""
    return {
        "message_id": f"019a0000-0000-7000-8000-{number:012d}",
        "requested_at": "2026-11-24T02:00:31.250Z",
        "completed_at": "2026-11-24T02:00:31.275Z",
        "consumer_agency": "dinsos-pmd",
        "interface": "ID-BB/GOV/dp3acskb/kependudukan/penduduk",
        "method": "GET",
        "outcome": "answered",
        "status": 200,
        "trace_id": "ab" * 16,
        "consumer": None,
        "purpose": None,
        **more,
    }


def trace(number: int, **more: object) -> dict:
    """One call with its ground, as an operator's portal would get it."""
    return {
        **call(number),
        "forwarded_at": "2026-11-24T02:00:31.253Z",
        "responded_at": "2026-11-24T02:00:31.270Z",
        "provider": "ID-BB/GOV/dp3acskb/kependudukan",
        "problem": None,
        "agreement": "019a0000-0000-7000-8000-0000000000aa",
        "rule": "r1",
        "purpose": "verifikasi-bansos",
        "legal_basis": "Permensos 3/2021 pasal 12",
        **more,
    }


CODE = "Kd8_aB3-zQ9xY1wV0uT2"
FILE_DIGEST = "3f" * 32


def verification(**more: object) -> dict:
    """A signed letter as the archive tells the public of it."""
    return {
        "number": "800.1.11.1/091/DINSOS/XI/2026",
        "letter_date": "2026-11-24",
        "agency": "dinsos-pmd",
        "signer_name": "Sari Contoh",
        "signer_position": "Plt. Kepala Dinas Sosial",
        "files": [
            {"profile": "B-T", "sha256": FILE_DIGEST, "bytes": 20_000, "at": "2026-11-24T02:00:31Z"}
        ],
        "receipt": "/receipts/019a0000-0000-7000-8000-0000000000bb",
        "content": "/api/archive/v1/records/019a0000-0000-7000-8000-0000000000cc/content",
        "is_destroyed": False,
        **more,
    }


def report(**more: object) -> dict:
    return {
        "is_intact": True,
        "is_trusted": True,
        "explanation": "Tanda tangan sah dan tepercaya / The signature is valid and trusted",
        "signer": "CN=Segel Uji",
        "time_used": "2026-11-24T02:00:32Z",
        "time_source": "timestamp",
        **more,
    }


def write_key(key: ECKey, path) -> None:
    path.write_text(json.dumps(key.as_dict(private=True)), encoding="utf-8")
