"""Reads a form or query strictly: right type, bounded, well encoded, each parameter once."""

from urllib.parse import parse_qsl

from fastapi import Request

from sebalai_identity.oauth.errors import invalid_request

FORM = "application/x-www-form-urlencoded"
BYTES_MAX = 32_768
FIELDS_MAX = 40


async def read_form(request: Request) -> dict[str, str]:
    """Raises `OAuthError` invalid_request."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise invalid_request(f"Send the parameters as {FORM}.")
    return parse(await request.body())


def read_query(request: Request) -> dict[str, str]:
    """Raises `OAuthError` invalid_request."""
    return parse(bytes(request.scope["query_string"]))


def parse(encoded: bytes) -> dict[str, str]:
    if len(encoded) > BYTES_MAX:
        raise invalid_request(f"At most {BYTES_MAX} bytes are taken here.")
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError as error:
        raise invalid_request("The form is not well encoded, or has too many fields.") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise invalid_request("Send each parameter once.")
    if any("\x00" in name or "\x00" in value for name, value in pairs):
        raise invalid_request("A parameter holds a NUL.")
    # RFC 6749 section 3.2: a parameter without a value counts as left out.
    return {name: value for name, value in found.items() if value}
