"""What an authorization request must say (RFC 6749 4.1.1, OpenID Connect Core 3.1.2.1, RFC 7636,
RFC 9700). Pure. Answers go nowhere until the redirect address is proven.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from sebalai_shared.problems import Problem

from sebalai_identity.applications.actions import KnownClient
from sebalai_identity.interactions.actions import THEMSELF, Wanted
from sebalai_identity.oauth import claims
from sebalai_identity.oauth.clients import as_id
from sebalai_identity.oauth.errors import OAuthError, invalid_request
from sebalai_identity.oauth.policy import BUSINESS, CODE, PERSON_SCOPES, grants_of, role_scopes

MODES = ("query", "form_post")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
CHALLENGE_LENGTH = 43
TEXT_LENGTH_MAX = 2_048
LIST_MAX = 20
AGE_MAX = 10 * 365 * 86_400
URL_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class RequestRefused(Problem):
    """Shown to the person: sending them on to an unproven address would be an open redirect."""

    status, slug = 400, "authorization-refused"
    title = "The application's request is not in order"


def proven_redirect(client: KnownClient, parameters: Mapping[str, str]) -> str:
    """Raises `RequestRefused`."""
    asked = parameters.get("redirect_uri")
    if asked is None or not client.settings.has_redirect(asked):
        raise RequestRefused(
            "redirect_uri is not one the application has registered; tell its maker."
        )
    return asked


def response_mode(parameters: Mapping[str, str]) -> str:
    """The mode to answer in, also with an error; an unknown one is refused in the default."""
    mode = parameters.get("response_mode", "query")
    return mode if mode in MODES else "query"


def read_request(client: KnownClient, parameters: Mapping[str, str], audience: str) -> Wanted:
    """Raises `OAuthError` for the client at its proven address."""
    _require_code(client, parameters)
    for name in ("request_uri", "registration"):
        if name in parameters:
            raise OAuthError(f"{name}_not_supported", f"{name} is not served here.")
    if parameters.get("resource", audience) != audience:
        raise OAuthError("invalid_target", f"resource must be {audience}")
    scopes = _scopes(client, parameters)
    return Wanted(
        client_id=client.client_id,
        client_name=client.settings.name_in("id") or client.name,
        agency=client.agency,
        scopes=scopes,
        claims=claims.read(parameters.get("claims")),
        acr_values=_words(parameters, "acr_values"),
        max_age=_max_age(parameters),
        prompt=_prompt(parameters),
        login_hint=_text(parameters, "login_hint"),
        ui_locales=_words(parameters, "ui_locales"),
        acting_for=_acting_for(parameters, scopes),
        extra={
            "redirect_uri": parameters["redirect_uri"],
            "mode": response_mode(parameters),
            "state": _text(parameters, "state"),
            "nonce": _text(parameters, "nonce"),
            "challenge": _challenge(parameters),
            "jkt": _jkt(parameters),
            "hint": parameters.get("id_token_hint"),
        },
    )


def _require_code(client: KnownClient, parameters: Mapping[str, str]) -> None:
    if CODE not in grants_of(client):
        raise OAuthError("unauthorized_client", "This application signs nobody in.")
    wanted = parameters.get("response_type")
    if wanted is None:
        raise invalid_request("response_type is missing; send code.")
    if wanted != "code":
        raise OAuthError("unsupported_response_type", "Only code is served.")
    if parameters.get("response_mode", "query") not in MODES:
        raise invalid_request(f"response_mode must be {' or '.join(MODES)}.")


def _challenge(parameters: Mapping[str, str]) -> str:
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256":
        raise invalid_request("Send code_challenge with code_challenge_method=S256 (PKCE).")
    if len(challenge) != CHALLENGE_LENGTH or not set(challenge) <= URL_SAFE:
        raise invalid_request("code_challenge must be the base64url of a SHA-256.")
    return challenge


def _jkt(parameters: Mapping[str, str]) -> str | None:
    jkt = parameters.get("dpop_jkt")
    if jkt is not None and (len(jkt) != CHALLENGE_LENGTH or not set(jkt) <= URL_SAFE):
        raise invalid_request("dpop_jkt must be a JWK thumbprint (RFC 7638).")
    return jkt


def _scopes(client: KnownClient, parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Unknown ones are ignored, as OpenID Connect Core 3.1.2.1 says. Whether the person holds a
    role that gives one of them is asked at each token.
    """
    asked = set(_words(parameters, "scope"))
    given = sorted(asked & client.scopes & PERSON_SCOPES)
    if not given:
        granted = " ".join(sorted(client.scopes & PERSON_SCOPES))
        raise OAuthError("invalid_scope", f"Of what was asked nothing is granted: {granted}")
    return (*given, *sorted(asked & role_scopes(client)))


def _acting_for(parameters: Mapping[str, str], scopes: tuple[str, ...]) -> str | None:
    named = parameters.get("acting_for")
    if named is None or named == THEMSELF:
        return named
    if as_id(named) is None:
        raise invalid_request(f"acting_for must be the id of a business, or {THEMSELF}.")
    if BUSINESS not in scopes:
        raise OAuthError("invalid_scope", f"acting_for needs the scope {BUSINESS}.")
    return named


def _words(parameters: Mapping[str, str], name: str) -> tuple[str, ...]:
    words = tuple(parameters.get(name, "").split())
    if len(words) > LIST_MAX:
        raise invalid_request(f"{name} holds more than {LIST_MAX} values.")
    return words


def _text(parameters: Mapping[str, str], name: str) -> str | None:
    value = parameters.get(name)
    if value is not None and len(value) > TEXT_LENGTH_MAX:
        raise invalid_request(f"{name} is longer than {TEXT_LENGTH_MAX} characters.")
    return value


def _max_age(parameters: Mapping[str, str]) -> int | None:
    value = parameters.get("max_age")
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 10) or int(value) > AGE_MAX:
        raise invalid_request("max_age must be a number of seconds.")
    return int(value)


def _prompt(parameters: Mapping[str, str]) -> tuple[str, ...]:
    prompt = _words(parameters, "prompt")
    if not set(prompt) <= PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise invalid_request("prompt is none, or any of login, consent, select_account.")
    return prompt


def origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
