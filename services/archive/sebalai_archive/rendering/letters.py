"""Renders a letter: number, date and verification code stand in it before it is signed.

A QR code that turned red after signing until somebody refreshed the PDF was a known complaint of
the national application; here nothing is added to a signed file.
"""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from importlib.resources import files

import orjson
import segno
import typst

MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip
STANDARD = "a-2b"
_TEMPLATE = (files("sebalai_archive") / "rendering" / "letter.typ").read_bytes()


@dataclass(frozen=True, slots=True)
class Signatory:
    name: str
    position: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What stands on the paper; `address` is where anyone checks it, `code` names it there."""

    agency_name: str
    place: str
    date: str
    number: str
    urgency: str
    subject: str
    addressees: Sequence[str]
    paragraphs: Sequence[str]
    copies: Sequence[str]
    signer: Signatory
    code: str
    address: str


def written_date(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


async def render(letter: Letter, at: datetime) -> bytes:
    """PDF/A-2b; the same letter at the same instant gives the same bytes."""
    return await asyncio.to_thread(_render, letter, at)


def _render(letter: Letter, at: datetime) -> bytes:
    inputs = {"data": orjson.dumps(asdict(letter)).decode(), "qr": _qr(letter.address)}
    return typst.compile(
        _TEMPLATE,
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=STANDARD,
        timestamp=int(at.timestamp()),
    )


def _qr(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", xmldecl=False, svgns=True)
    return out.getvalue().decode()
