"""Each kind of bad input has its own status, its own type and a sentence; none reaches the provider."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

pytestmark = pytest.mark.flow


def refused(platform, answer, status, slug):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["type"] == f"urn:sebalai:problem:{slug}"
    assert problem["detail"].endswith(".")
    return problem


@pytest.fixture
def unreached(platform):
    """The provider's own counter stands still during the test."""
    before = platform.provider_count()
    yield
    assert platform.provider_count() == before


def with_token(platform, token):
    return platform.call(headers=platform.headers() | {"authorization": f"Bearer {token}"})


def part(document):
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def claims_of(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_no_token_is_asked_for_one(platform, unreached):
    answer = platform.call(headers={"sebalai-purpose": "x"})
    refused(platform, answer, 401, "token-missing")
    assert "Bearer" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("token", ["junk", "a.b.c", "....", "é"[:0] + "x" * 20_000])
def test_a_malformed_token_is_refused(platform, unreached, token):
    answer = with_token(platform, token)
    assert answer.status_code in (401, 431)


def test_an_unsigned_token_is_refused(platform, unreached):
    claims = claims_of(platform.token())
    token = f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{part(claims)}."
    assert with_token(platform, token).status_code == 401


def test_a_token_signed_by_a_stranger_is_refused(platform, unreached):
    stranger = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "stranger"}
    token = jwt.encode(header, claims_of(platform.token()), stranger)
    refused(platform, with_token(platform, token), 401, "token-key-unknown")


def test_a_token_with_a_changed_claim_is_refused(platform, unreached):
    head, _, signature = platform.token().split(".")
    claims = claims_of(platform.token()) | {"application": "ID-BB/GOV/dinkes/puskesmas"}
    answer = with_token(platform, f"{head}.{part(claims)}.{signature}")
    refused(platform, answer, 401, "token-signature")


def test_the_public_key_is_no_shared_secret(platform, unreached):
    keys = httpx.get(f"{platform.gateway}/oauth/jwks").json()["keys"]
    header = {"alg": "HS256", "typ": "at+jwt", "kid": keys[0]["kid"]}
    key = OctKey.import_key(json.dumps(keys[0]).encode())
    token = jwt.encode(header, claims_of(platform.token()), key)
    assert with_token(platform, token).status_code == 401


def test_an_assertion_is_no_access_token(platform, unreached):
    assert with_token(platform, platform.assertion(platform.granted)).status_code == 401


def test_an_assertion_for_another_audience_gets_no_token(platform):
    answer = httpx.post(
        f"{platform.gateway}/oauth/token",
        data={
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": platform.assertion(
                platform.granted, aud=f"{platform.gateway}/oauth/token"
            ),
        },
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_an_assertion_is_used_once(platform):
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": platform.assertion(platform.granted),
    }
    first = httpx.post(f"{platform.gateway}/oauth/token", data=form)
    again = httpx.post(f"{platform.gateway}/oauth/token", data=form)
    assert (first.status_code, again.status_code) == (200, 401)


def test_an_unknown_agency_and_interface_are_named(platform, unreached):
    url = f"{platform.gateway}/r1/ID-BB/GOV"
    agency = httpx.get(f"{url}/dinas-hantu/x/y", headers=platform.headers())
    refused(platform, agency, 404, "agency-unknown")
    interface = httpx.get(f"{url}/dp3acskb/kependudukan/hantu", headers=platform.headers())
    refused(platform, interface, 404, "interface-unknown")


def test_a_missing_or_foreign_purpose_is_refused_and_the_agreed_ones_are_listed(
    platform, unreached
):
    headers = platform.headers()
    del headers["sebalai-purpose"]
    refused(platform, platform.call(headers=headers), 403, "purpose-missing")
    answer = platform.call(headers=platform.headers(purpose="ingin-tahu"))
    problem = refused(platform, answer, 403, "purpose-not-agreed")
    assert platform.population["purpose"] in problem["detail"]


def test_a_method_outside_the_agreement_is_refused(platform, unreached):
    refused(platform, platform.call("/residents/1", method="DELETE"), 403, "rule-missing")


@pytest.mark.parametrize(
    "path",
    ["/residents/%2e%2e/counter", "/residents/%252e%252e/counter", "/residents%2fcounter",
     "/residents/..%5ccounter", "/residents;x=1", "//residents", "/residents//x",
     "/residents/./x", "/residents/../counter", "/residents/%00", "/residents/%ff", "/residents/%zz"],
)  # fmt: skip
def test_an_encoded_traversal_is_refused(platform, unreached, path):
    # Sent raw, because a client library would tidy the path before the gateway sees it.
    with httpx.Client() as client:
        request = client.build_request("GET", platform.gateway, headers=platform.headers())
        target = f"/r1/{platform.population['name']}{path}".encode()
        request.extensions["target"] = target
        request.url = request.url.copy_with(raw_path=target)
        answer = client.send(request)
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"].startswith("urn:sebalai:problem:path-")


def test_another_clients_name_in_a_header_is_refused(platform, unreached):
    headers = platform.headers() | {"x-road-client": "ID-BB/GOV/dinkes/puskesmas"}
    refused(platform, platform.call(headers=headers), 403, "client-mismatch")


def test_a_body_over_the_limit_is_refused_before_the_provider(platform, unreached):
    answer = platform.call(
        "/residents/search", method="POST", headers=platform.headers(), content=b"x" * (11 * 2**20)
    )
    refused(platform, answer, 413, "body-too-large")


def test_a_wrong_digest_is_refused(platform):
    wrong = base64.b64encode(b"\0" * 32).decode()
    headers = platform.headers() | {"content-digest": f"sha-256=:{wrong}:"}
    answer = platform.call("/residents/search", method="POST", headers=headers, content=b"{}")
    refused(platform, answer, 400, "digest-mismatch")


def test_a_flood_of_bad_tokens_is_slowed_and_good_ones_pass(platform):
    # From another loopback address, so that the other tests are not slowed with it.
    transport = httpx.HTTPTransport(local_address="127.0.0.9")
    claims = part({"exp": int(time.time()) + 60})
    bad = f"{part({'alg': 'ES256', 'typ': 'at+jwt', 'kid': 'x'})}.{claims}.{'A' * 86}"
    with httpx.Client(transport=transport) as client:
        url = f"{platform.gateway}/r1/{platform.population['name']}/residents"
        headers = {"authorization": f"Bearer {bad}", "sebalai-purpose": "x"}
        with ThreadPoolExecutor(8) as pool:
            seen = set(pool.map(lambda _: client.get(url, headers=headers).status_code, range(400)))
    assert 429 in seen
    assert platform.call().status_code == 200
