"""The `claims` parameter (OpenID Connect Core 5.5): what is understood of it, and nothing else, is
kept with the request. Pure. Which claims are known at all is the register's.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from sebalai_identity.oauth.errors import OAuthError, invalid_request

LENGTH_MAX = 4_096
PLACES = ("id_token", "userinfo")
NAMES_MAX = 30

Claims = dict[str, dict[str, dict[str, Any] | None]]


def read(text: str | None) -> Claims:
    """For each place the names asked for, each with `essential` and `values`, or None where just
    the name stands. Raises `OAuthError` invalid_request.
    """
    if text is None:
        return {}
    if len(text) > LENGTH_MAX:
        raise invalid_request(f"claims is longer than {LENGTH_MAX} characters.")
    try:
        found: Any = orjson.loads(text)
    except ValueError as error:
        raise invalid_request("claims is not JSON.") from error
    whole = _object(found)
    return {place: _names(_object(whole[place])) for place in PLACES if place in whole}


def _object(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise _misshapen()
    return found  # pyright: ignore[reportUnknownVariableType]


def _misshapen() -> OAuthError:
    return invalid_request("claims is not of the form of OpenID Connect Core 5.5.")


def _names(asked: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    if len(asked) > NAMES_MAX:
        raise invalid_request(f"claims asks for more than {NAMES_MAX} in one place.")
    # A name that cannot be shown is none of ours, and a NUL none the database keeps.
    return {
        name: _wish(_object(wish)) if wish is not None else None
        for name, wish in asked.items()
        if name.isprintable()
    }


def _wish(wish: dict[str, Any]) -> dict[str, Any]:
    """Members that are not understood are left out (5.5.1); a lone `value` is a list of one."""
    values = wish.get("values")
    listed: list[Any] = values if isinstance(values, list) else [wish.get("value")]
    texts = [one for one in listed if isinstance(one, str) and one.isprintable()]
    return {"essential": bool(wish.get("essential")), "values": texts}


def essential_acr(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The acr values one of which must be reached, or the request fails; empty when none must."""
    asked = (claims.get("id_token") or {}).get("acr") or {}
    return tuple(asked.get("values", ())) if asked.get("essential") else ()
