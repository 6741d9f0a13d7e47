"""Reads a small urlencoded form; a field that comes twice, or a body too large, is refused."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from sebalai_shared.problems import Problem

FORM = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 16_384
FIELDS_MAX = 30


class FormMalformed(Problem):
    status, slug, title = 400, "form-malformed", "The form cannot be read"


async def read_form(request: Request) -> dict[str, str]:
    """Raises `FormMalformed`. A NUL is dropped: PostgreSQL keeps none, and nobody types one."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if kind != FORM or len(body) > FORM_BYTES_MAX:
        raise FormMalformed(f"Send {FORM}, at most {FORM_BYTES_MAX} bytes.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError as error:
        raise FormMalformed("The form is not well encoded, or has too many fields.") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FormMalformed("Send each field once.")
    return {name: value.replace("\x00", "") for name, value in found.items()}
