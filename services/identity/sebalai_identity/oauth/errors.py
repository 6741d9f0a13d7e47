"""Failures of the token endpoint in OAuth's own shape (RFC 6749 section 5.2)."""

UNAUTHORIZED = frozenset({"invalid_client"})


class OAuthError(Exception):
    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code, self.description = code, description

    @property
    def status(self) -> int:
        return 401 if self.code in UNAUTHORIZED else 400

    def document(self) -> dict[str, str]:
        return {"error": self.code, "error_description": self.description}


def invalid_request(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)


def invalid_client(description: str) -> OAuthError:
    return OAuthError("invalid_client", description)
