"""A population registry of another agency: the demo counterpart. Everything in it is invented.

It knows nothing of the bus. Residents are addressed by an opaque id; a NIK comes in a body only.
Serials begin with 99, a region code that no province has.
"""

from __future__ import annotations

import os
import random
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, Field

RESIDENTS = 200
FAMILY_SIZE = 4
PAGE_MAX = 100
GIVEN = ("Aisyah", "Budi", "Citra", "Dewi", "Eko", "Fitri", "Gilang", "Hasan", "Indah", "Joko")
FAMILY = ("Saputra", "Lestari", "Wijaya", "Rahman", "Hidayat", "Permata", "Santoso", "Anggraini")
PLACES = ("Pangkalpinang", "Sungailiat", "Mentok", "Toboali", "Koba", "Tanjungpandan", "Manggar")


class Resident(BaseModel):
    id: str
    nik: str
    family: str
    name: str
    birth_place: str
    birth_date: str


class ResidentPage(BaseModel):
    items: list[Resident]


class Search(BaseModel):
    nik: Annotated[str, Field(pattern=r"^\d{16}$")]


def _residents() -> dict[str, Resident]:
    chance = random.Random(1945)
    made: dict[str, Resident] = {}
    for number in range(1, RESIDENTS + 1):
        year, month, day = chance.randint(1950, 2015), chance.randint(1, 12), chance.randint(1, 28)
        resident = Resident(
            id=f"r-{number:04}",
            nik=f"990101{day:02}{month:02}{year % 100:02}{number:04}",
            family=f"f-{(number - 1) // FAMILY_SIZE + 1:03}",
            name=f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}",
            birth_place=chance.choice(PLACES),
            birth_date=f"{year}-{month:02}-{day:02}",
        )
        made[resident.id] = resident
    return made


def create_app() -> FastAPI:
    app = FastAPI(title="Kependudukan (demo)", version="1.0.0")
    residents = _residents()
    app.state.served = 0

    @app.middleware("http")
    async def count(request: Request, forward: Any) -> Any:
        if request.url.path not in ("/counter", "/openapi.json"):
            app.state.served += 1
        return await forward(request)

    @app.get("/residents")
    async def list_residents(
        family: str | None = None, limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 20
    ) -> ResidentPage:
        chosen = [one for one in residents.values() if family in (None, one.family)]
        return ResidentPage(items=chosen[:limit])

    @app.post("/residents/search")
    async def search(wanted: Search) -> ResidentPage:
        found = [one for one in residents.values() if one.nik == wanted.nik]
        return ResidentPage(items=found)

    @app.get("/residents/{resident_id}")
    async def read_resident(resident_id: str) -> Resident:
        if resident_id not in residents:
            raise HTTPException(404, "no such resident")
        return residents[resident_id]

    @app.get("/counter")
    async def counter() -> dict[str, int]:
        """How many requests reached this provider: tests prove with it that one did not."""
        return {"requests": app.state.served}

    return app


app = create_app()

if __name__ == "__main__":
    host = os.environ.get("HOST", "127.0.0.1")
    uvicorn.run(app, host=host, port=int(os.environ["PORT"]), access_log=False)
