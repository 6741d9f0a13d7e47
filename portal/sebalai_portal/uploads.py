"""One file out of a form that a browser sends (multipart/form-data, RFC 7578), held whole: it is
bounded, and goes on as it is. Nothing of its content is looked at here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fastapi import Request

FILE_BYTES_MAX = 5 * 1024 * 1024
"""What the catalogue takes of one document."""
BODY_BYTES_MAX = FILE_BYTES_MAX + 16 * 1024
PARTS_MAX = 10
NAME_LENGTH_MAX = 200

_BOUNDARY = re.compile(
    r'multipart/form-data\s*;\s*boundary="?([!#-~]{1,70}?)"?\s*\Z', re.IGNORECASE
)
_FIELD = re.compile(rb'[;\s]name="([^"\r\n]*)"')
_FILE = re.compile(rb'[;\s]filename="([^"\r\n]*)"')
_KIND = re.compile(rb"^content-type:[ \t]*([^\s;]+)", re.IGNORECASE | re.MULTILINE)
_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f/\\]")


@dataclass(frozen=True, slots=True)
class File:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """The fields of the form, and the one file in it."""

    fields: dict[str, str] = field(default_factory=dict[str, str])
    file: File | None = None


class FormTooLarge(Exception):
    """More than one document and its form may be."""


async def read_upload(request: Request) -> Sent:
    """Raises: FormTooLarge. What is no such form is an empty one."""
    content, size = list[bytes](), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise FormTooLarge
        content.append(chunk)
    return parse(request.headers.get("Content-Type", ""), b"".join(content))


def parse(content_type: str, body: bytes) -> Sent:
    boundary = _BOUNDARY.match(content_type)
    if boundary is None:
        return Sent()
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())
    fields, file = dict[str, str](), None
    for piece in pieces[1 : 1 + PARTS_MAX]:
        head, _, content = piece.partition(b"\r\n\r\n")
        name, filename = _FIELD.search(head), _FILE.search(head)
        if name is None:
            continue
        if filename is None:
            fields[_text(name[1])] = _text(content)
        elif content:
            file = File(_name(filename[1]), _kind(head), content)
    return Sent(fields, file)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\x00", "")


def _name(raw: bytes) -> str:
    """As people named it, without what a name cannot have, and never empty."""
    plain = _UNNAMEABLE.sub("_", _text(raw))
    return plain[-NAME_LENGTH_MAX:] or "dokumen"


def _kind(head: bytes) -> str:
    found = _KIND.search(head)
    return _text(found[1]).lower() if found else "application/octet-stream"
