"""Authlib's client against a running platform: code with PKCE, refresh, client credentials."""

import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import urljoin

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

FACTS = json.loads(Path(os.environ["INTEROP_FACTS"]).read_text(encoding="utf-8"))
ISSUER, BACK = FACTS["issuer"], FACTS["back"]
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


class Assertion(PrivateKeyJWT):
    """Authlib's own defaults are an hour of life and one jti for all; both are refused here."""

    def sign(self, auth, token_endpoint):
        self.claims = {"exp": int(time.time()) + 60}
        return super().sign(auth, token_endpoint)


def client(scope):
    web = FACTS["clients"]["web"]
    made = OAuth2Client(
        web["client_id"], ECKey.import_key(web["key"]), token_endpoint_auth_method="private_key_jwt",
        scope=scope, redirect_uri=BACK, code_challenge_method="S256",
    )  # fmt: skip
    made.register_client_auth_method(Assertion(ISSUER, alg="ES256"))
    return made


def browser(url):
    for _ in range(5):
        answer = httpx.get(url, headers={"cookie": FACTS["cookie"]}, follow_redirects=False)
        url = urljoin(str(answer.url), answer.headers["location"])
        if not url.startswith(ISSUER):
            return url
    raise AssertionError("too many redirects")


def code_and_refresh(metadata):
    one = client("openid profile offline_access")
    verifier = "v" * 50
    url, state = one.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier
    )
    token = one.fetch_token(
        metadata["token_endpoint"], authorization_response=browser(url), state=state,
        code_verifier=verifier,
    )  # fmt: skip
    assert token["id_token"]
    fresh = one.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    assert fresh["refresh_token"] != token["refresh_token"]
    assert one.get(metadata["userinfo_endpoint"]).json()["sub"] == FACTS["subject"]


def client_credentials(metadata):
    token = client("bus.call").fetch_token(
        metadata["token_endpoint"], grant_type="client_credentials"
    )
    assert token["token_type"] == "Bearer"


def main():
    metadata = httpx.get(f"{ISSUER}/.well-known/openid-configuration").json()
    checks, passed = (code_and_refresh, client_credentials), 0
    for check in checks:
        try:
            check(metadata)
        except Exception as error:  # noqa: BLE001 - the tally names whatever went wrong
            print(f"  FAIL {check.__name__}: {error!r}")
        else:
            passed += 1
            print(f"  ok   {check.__name__}")
    print(f"Authlib: {passed}/{len(checks)}")
    sys.exit(passed != len(checks))


if __name__ == "__main__":
    main()
