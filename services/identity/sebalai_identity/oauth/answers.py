"""The provider's answers as HTTP: OAuth errors, redirects, and the form that posts itself."""

import base64
import hashlib
from html import escape
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sebalai_identity.oauth.authorization import Answer, Visit
from sebalai_identity.oauth.authorize import origin
from sebalai_identity.oauth.errors import OAuthError

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
SUBMIT = "document.forms[0].submit()"
_HASH = base64.b64encode(hashlib.sha256(SUBMIT.encode()).digest()).decode()

_ERROR = {
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}


def _refused(description: str, *media: str) -> dict[str, Any]:
    return {"description": description, "content": {one: {"schema": _ERROR} for one in media}}


REFUSED: dict[int | str, dict[str, Any]] = {
    400: _refused("An error of the protocol (RFC 6749 5.2)", "application/json"),
    401: _refused("The client did not prove itself (invalid_client)", "application/json"),
}
UNBELIEVED: dict[int | str, dict[str, Any]] = {
    400: REFUSED[400],
    401: _refused("The token is not believed (RFC 6750 3.1)", "application/json"),
}


def json_answer(
    result: dict[str, Any] | OAuthError, headers: dict[str, str] | None = None, status: int = 200
) -> Response:
    more = NO_STORE | (headers or {})
    if isinstance(result, OAuthError):
        result, status, more = result.document(), result.status, more | result.headers
    return Response(orjson.dumps(result), status, more, "application/json")


def to_person(outcome: Answer | Visit) -> Response:
    if isinstance(outcome, Visit):
        if not outcome.interaction_id:
            return RedirectResponse(outcome.page, 303, headers=NO_STORE)
        place = f"{outcome.page}?{urlencode({'interaction': outcome.interaction_id})}"
        return RedirectResponse(place, 303, headers=NO_STORE)
    if outcome.mode == "form_post":
        return _form(outcome)
    sign = "&" if "?" in outcome.redirect_uri else "?"
    place = outcome.redirect_uri + sign + urlencode(outcome.parameters)
    # Its own fragment: without one a browser would carry over that of the page before.
    return RedirectResponse(f"{place}#", 303, headers=NO_STORE | {"Referrer-Policy": "no-referrer"})


def _form(answer: Answer) -> HTMLResponse:
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in answer.parameters.items()
    )
    page = (
        '<!doctype html><html lang="id"><meta charset="utf-8"><title>Sebalai</title>'
        f'<form method="post" action="{escape(answer.redirect_uri)}">{fields}'
        '<noscript><button type="submit">Lanjutkan / Continue</button></noscript></form>'
        f"<script>{SUBMIT}</script></html>"
    )
    rule = (
        f"default-src 'none'; script-src 'sha256-{_HASH}'; base-uri 'none';"
        f" frame-ancestors 'none'; form-action {origin(answer.redirect_uri)}"
    )
    headers = NO_STORE | {"Content-Security-Policy": rule, "Referrer-Policy": "no-referrer"}
    return HTMLResponse(page, headers=headers)
