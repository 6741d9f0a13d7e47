"""A stand-in for SRIKANDI, as our adapter speaks to it. It is NOT the national application: that
one's interface is open to parties of an agreement only. This one keeps letters by their sender's
name for them, and gives out a list that can be read on from any place.

`PUT /naskah/{name}` answers 401 without the token, 503 while `down`, 422 for a matter in `refused`,
409 for other content under a known name. `GET /naskah-masuk?sesudah=` and `…/{id}/berkas`; files of
ids in `cut` come with a wrong byte.
"""

import base64
import hashlib
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Request, Response

Token = Annotated[str, Header(alias="Authorization")]


def srikandi_app(token: str) -> FastAPI:
    app = FastAPI()
    state = app.state
    state.letters, state.inbox, state.calls, state.down = {}, [], [], False
    state.refused, state.cut = set(), set()

    def admit(call: str, authorization: str) -> None:
        state.calls.append(call)
        if authorization != f"Bearer {token}":
            raise HTTPException(401)
        if state.down:
            raise HTTPException(503)

    @app.put("/naskah/{name}")
    async def put_letter(name: str, request: Request, authorization: Token = "") -> dict[str, str]:
        admit(f"PUT {name}", authorization)
        body = await request.json()
        file = base64.b64decode(body["berkas"], validate=True)
        if body["hal"] in state.refused or hashlib.sha256(file).hexdigest() != body["sha256"]:
            raise HTTPException(422)
        kept = state.letters.setdefault(name, body)
        if kept["sha256"] != body["sha256"]:
            raise HTTPException(409)
        return {"id": f"S-{list(state.letters).index(name) + 1}"}

    @app.get("/naskah-masuk")
    async def list_letters(
        sesudah: str = "", batas: int = 50, authorization: Token = ""
    ) -> dict[str, Any]:
        admit(f"LIST {sesudah}", authorization)
        start = int(sesudah or 0)
        facts = [dict(one[0], urutan=str(place)) for place, one in enumerate(state.inbox, start=1)]
        return {"items": facts[start : start + batas]}

    @app.get("/naskah-masuk/{letter_id}/berkas")
    async def read_file(letter_id: str, authorization: Token = "") -> Response:
        admit(f"GET {letter_id}", authorization)
        [file] = {file for facts, file in state.inbox if facts["id"] == letter_id}
        return Response(b"?" + file[1:] if letter_id in state.cut else file)

    return app


def letter(letter_id: str, file: bytes, **more: Any) -> tuple[dict[str, Any], bytes]:
    """A letter for the stand-in's inbox."""
    facts = {
        "id": letter_id, "nomor": f"100/{letter_id}/2026", "tanggal": "2026-11-20",
        "hal": "Undangan rapat", "sifat": "biasa", "tingkat_keamanan": "biasa",
        "pengirim": "Kementerian Dalam Negeri", "instansi_tujuan": "19.01",
        "sha256": hashlib.sha256(file).hexdigest(), "ukuran": len(file),
    }  # fmt: skip
    return facts | more, file
