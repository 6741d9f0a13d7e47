"""Renders the minutes (berita acara) of a disposal as PDF/A-2b, to be signed and filed."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.resources import files

import orjson
import typst

from sebalai_archive.rendering.letters import STANDARD, Signatory

_TEMPLATE = (files("sebalai_archive") / "rendering" / "minutes.typ").read_bytes()


@dataclass(frozen=True, slots=True)
class Minutes:
    """What stands on the paper. `facts` are name and value; `acts` step, actor, instant; `items`
    the lines of the frozen list, with their position.
    """

    title: str
    case: str
    agency_name: str
    place: str
    date: str
    facts: Sequence[tuple[str, str]]
    acts: Sequence[tuple[str, str, str]]
    items: Sequence[Mapping[str, str | int | None]]
    signer: Signatory


async def render(minutes: Minutes, at: datetime) -> bytes:
    """PDF/A-2b; the same minutes at the same instant give the same bytes."""
    return await asyncio.to_thread(_render, minutes, at)


def _render(minutes: Minutes, at: datetime) -> bytes:
    return typst.compile(
        _TEMPLATE,
        format="pdf",
        sys_inputs={"data": orjson.dumps(asdict(minutes)).decode()},
        pdf_standards=STANDARD,
        timestamp=int(at.timestamp()),
    )
