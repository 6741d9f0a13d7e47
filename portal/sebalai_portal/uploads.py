"""One file out of a form that a browser sends (multipart/form-data, RFC 7578), held whole and in
memory: it is bounded, a person's document lies on no disk here, and it goes on as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILE_BYTES_MAX = 5 * 1024 * 1024
"""What the catalogue takes of one document."""
BODY_BYTES_MAX = FILE_BYTES_MAX + 16 * 1024
PARTS_MAX = 10
NAME_LENGTH_MAX = 200

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


class _Parts:
    """What the parser tells of, part by part: its head by lower-case names, and its content."""

    def __init__(self) -> None:
        self.done = list[tuple[dict[bytes, bytes], bytes]]()
        self._head, self._content = dict[bytes, bytes](), bytearray()
        self._name = self._value = b""

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self.on_part_begin,
            "on_header_field": self.on_header_field,
            "on_header_value": self.on_header_value,
            "on_header_end": self.on_header_end,
            "on_part_data": self.on_part_data,
            "on_part_end": self.on_part_end,
        }

    def on_part_begin(self) -> None:
        if len(self.done) >= PARTS_MAX:
            msg = f"more than {PARTS_MAX} parts"
            raise FormParserError(msg)
        self._head, self._content = {}, bytearray()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._head[self._name.lower()], self._name, self._value = self._value, b"", b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def on_part_end(self) -> None:
        self.done.append((self._head, bytes(self._content)))


async def read_upload(request: Request) -> Sent:
    """Raises: FormTooLarge. What is no such form is an empty one; a part cut off is none."""
    kind, options = parse_options_header(request.headers.get("Content-Type"))
    boundary, parts, size = options.get(b"boundary"), _Parts(), 0
    if kind != b"multipart/form-data" or not boundary:
        return Sent()
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        async for chunk in request.stream():
            size += len(chunk)
            if size > BODY_BYTES_MAX:
                raise FormTooLarge
            parser.write(chunk)
    except FormParserError:
        return Sent()
    return _sent(parts)


def _sent(parts: _Parts) -> Sent:
    fields, file = dict[str, str](), None
    for head, content in parts.done:
        _, told = parse_options_header(head.get(b"content-disposition"))
        if b"name" not in told:
            continue
        if b"filename" not in told:
            fields[_text(told[b"name"])] = _text(content)
        elif content:
            file = File(_name(told[b"filename"]), _kind(head), content)
    return Sent(fields, file)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\x00", "")


def _name(raw: bytes) -> str:
    """As people named it, without what a name cannot have, and never empty."""
    plain = _UNNAMEABLE.sub("_", _text(raw))
    return plain[-NAME_LENGTH_MAX:] or "dokumen"


def _kind(head: dict[bytes, bytes]) -> str:
    kind, _ = parse_options_header(head.get(b"content-type"))
    return _text(kind) or "application/octet-stream"
