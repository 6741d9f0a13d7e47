"""Applications registered for one story, and what they ask of the gateway."""

import time

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared.ids import uuid7

OPERATOR = "diskominfo/sebalai"
TOKEN_KEPT_SECONDS = 200


class Actor:
    """An application registered for this story, and what it asks of the gateway."""

    def __init__(self, platform, short, *scopes):
        self._platform, self._key = platform, ECKey.generate_key("P-256", auto_kid=True)
        agency, name = short.split("/")
        public = self._key.as_dict(private=False)
        made = httpx.post(
            f"{platform.gateway}/api/identity/v1/applications",
            json={"agency": agency, "name": name, "public_key": public, "scopes": list(scopes)},
            headers={
                "authorization": f"Bearer {platform.token(OPERATOR)}",
                "idempotency-key": str(uuid7()),
            },
        )
        assert made.status_code == 201, made.text
        self._client, self._got_at, self._token = made.json()["client_id"], None, ""

    @property
    def token(self):
        """A token lives 300 s, and a story may last longer."""
        if self._got_at is None or time.monotonic() - self._got_at >= TOKEN_KEPT_SECONDS:
            self._got_at, self._token = time.monotonic(), self._ask(self._client)
        return self._token

    def _ask(self, client):
        now = int(time.time())
        claims = {
            "iss": client, "sub": client, "aud": self._platform.facts["issuer"],
            "jti": str(uuid7()), "iat": now, "exp": now + 60,
        }  # fmt: skip
        assertion = jwt.encode({"alg": "ES256"}, claims, self._key)
        answer = httpx.post(
            f"{self._platform.gateway}/oauth/token",
            data={
                "grant_type": "client_credentials", "client_assertion": assertion,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            },
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def ask(self, method, path, *, expected=200, member="catalog", **options):
        headers = {"authorization": f"Bearer {self.token}", "idempotency-key": str(uuid7())}
        headers |= options.pop("headers", {})
        url = f"{self._platform.gateway}/api/{member}{path}"
        answer = httpx.request(method, url, headers=headers, timeout=30, **options)
        assert answer.status_code == expected, f"{method} {path}: {answer.text}"
        return answer

    def act(self, request, act, **more):
        """Takes a step on the request as it is now; answers the request after it."""
        url = f"/v1/requests/{request['id']}"
        now = self.ask("GET", url).json()
        body = {"act": act, "revision": now["revision"], **more}
        return self.ask("POST", f"{url}/acts", json=body).json()
