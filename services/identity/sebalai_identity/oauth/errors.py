"""Failures in OAuth's own shape (RFC 6749 section 5.2); no detail that helps an attacker."""

from collections.abc import Mapping

UNAUTHORIZED = frozenset({"invalid_client", "invalid_token"})


class OAuthError(Exception):
    def __init__(
        self,
        code: str,
        description: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(description)
        self.code, self.description = code, description
        self.status = status or (401 if code in UNAUTHORIZED else 400)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, str]:
        return {"error": self.code, "error_description": self.description}


def invalid_request(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)


def invalid_client(description: str) -> OAuthError:
    return OAuthError("invalid_client", description)


def invalid_grant(description: str) -> OAuthError:
    return OAuthError("invalid_grant", description)
