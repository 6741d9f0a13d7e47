"""What identity revokes, the gateway refuses, although the token's signature is still good."""

import time

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared.ids import uuid7

pytestmark = pytest.mark.flow

OPERATOR = "diskominfo/sebalai"
PATIENCE_SECONDS = 15
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def own_token(platform, client_id, key):
    now = int(time.time())
    claims = {
        "iss": client_id, "sub": client_id, "aud": platform.facts["issuer"], "jti": str(uuid7()),
        "iat": now, "exp": now + 60,
    }  # fmt: skip
    form = {
        "grant_type": "client_credentials", "client_assertion_type": ASSERTION,
        "client_assertion": jwt.encode({"alg": "ES256"}, claims, key),
    }  # fmt: skip
    answer = httpx.post(f"{platform.gateway}/oauth/token", data=form)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def test_suspended_application_is_refused_at_the_gateway_while_its_token_lives(platform):
    operator = {"authorization": f"Bearer {platform.token(OPERATOR)}"}
    applications = f"{platform.gateway}/api/identity/v1/applications"
    key = ECKey.generate_key("P-256")
    body = {
        "agency": "diskominfo", "name": f"revoked-{uuid7().hex[-8:]}",
        "public_key": key.as_dict(private=False),
    }  # fmt: skip
    once = {"idempotency-key": str(uuid7())}
    made = httpx.post(applications, headers=operator | once, json=body).json()
    bearer = {"authorization": f"Bearer {own_token(platform, made['client_id'], key)}"}
    assert httpx.get(applications, headers=bearer).status_code == 200
    ended = httpx.post(
        f"{applications}/{made['id']}/suspend", headers=operator, json={"reason": "a lost key"}
    )
    assert ended.status_code == 200, ended.text
    until = time.monotonic() + PATIENCE_SECONDS
    answer = httpx.get(applications, headers=bearer)
    while answer.status_code == 200 and time.monotonic() < until:
        answer = httpx.get(applications, headers=bearer)
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:sebalai:problem:token-revoked"
    assert httpx.get(applications, headers=operator).status_code == 200
