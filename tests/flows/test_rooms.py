"""Each room's thin path, through the gateway alone."""

import base64
import hashlib
import json
import time

import httpx
import pytest
from sebalai_shared.ids import uuid7

pytestmark = pytest.mark.flow


def bearer(platform, name):
    return {"authorization": f"Bearer {platform.token(name)}"}


def test_discovery_names_the_issuer_and_the_keys(platform):
    document = httpx.get(f"{platform.gateway}/.well-known/openid-configuration").json()
    assert document["issuer"] == platform.facts["issuer"]
    keys = httpx.get(document["jwks_uri"]).json()["keys"]
    assert keys
    assert not any("d" in key for key in keys)


def test_agencies_are_named_by_slug_and_their_codes_are_marked(platform):
    url = f"{platform.gateway}/api/identity/v1/agencies/dinsos-pmd"
    agency = httpx.get(url).json()
    assert agency["name"].startswith("Dinas Sosial")
    assert "unverified" in json.dumps(agency) or "partly" in json.dumps(agency)


def test_every_openapi_document_is_found_from_the_api_catalogue(platform):
    answer = httpx.get(f"{platform.gateway}/.well-known/api-catalog")
    assert answer.headers["content-type"].startswith("application/linkset+json")
    links = json.dumps(answer.json())
    for member in ("identity", "catalog", "archive", "exchange"):
        url = f"{platform.gateway}/api/{member}/openapi.json"
        assert url in links
        assert httpx.get(url).json()["openapi"].startswith("3.")


def test_services_are_listed_and_marked_unverified(platform):
    page = httpx.get(f"{platform.gateway}/api/catalog/v1/services?limit=100").json()
    assert len(page["items"]) >= 20
    assert "unverified" in json.dumps(page["items"][0])


def test_a_record_is_declared_frozen_and_proven(platform):
    name = platform.archivist
    api, headers = f"{platform.gateway}/api/archive/v1/records", bearer(platform, name)
    draft = httpx.post(
        api,
        json={"title": "Notula rapat", "classification": "000.1.5"},
        headers=headers | {"idempotency-key": str(uuid7())},
    )
    assert draft.status_code == 201, draft.text
    record, content = f"{api}/{draft.json()['id']}", b"isi notula " * 1000
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    put = httpx.put(
        f"{record}/content",
        content=content,
        headers=headers | {"content-digest": f"sha-256=:{digest}:", "content-type": "text/plain"},
    )
    assert put.status_code in (200, 201, 204), put.text
    declared = httpx.post(
        f"{record}/declaration", headers=headers | {"idempotency-key": str(uuid7())}
    )
    assert declared.status_code in (200, 201), declared.text
    assert httpx.get(f"{record}/content", headers=headers).content == content
    assert httpx.put(f"{record}/content", content=b"x", headers=headers).status_code == 409
    stranger = httpx.get(record, headers=bearer(platform, platform.refused))
    assert stranger.status_code == 404
    receipt = platform.receipt(declared.json()["receipt"].rsplit("/", 1)[1], name=name)
    assert platform.verify(receipt).returncode == 0


def test_the_portal_shows_agencies_services_and_the_last_calls(platform):
    message_id = platform.call().headers["sebalai-message-id"]
    platform.receipt(message_id)

    def page():
        return httpx.get(platform.facts["portal"], timeout=30).text

    html = page()
    assert "Dinas Sosial" in html
    assert "belum diverifikasi" in html.lower()
    until = time.monotonic() + 20
    while message_id not in html and time.monotonic() < until:
        time.sleep(0.5)
        html = page()
    assert message_id in html


@pytest.mark.parametrize(
    "path", ["/internal/routes", "/internal/keys", "/metrics", "/api/exchange/internal/routes",
             "/api/identity/internal/keys", "/api/exchange/metrics"],
)  # fmt: skip
def test_what_is_internal_cannot_be_reached_from_outside(platform, path):
    assert httpx.get(f"{platform.gateway}{path}").status_code == 404
