"""How the gateway meets a provider: what is taken, shown to whom, and routed."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc import jws
from joserfc.jwk import ECKey

URL = "https://simduk.babelprov.example/api"
BEARER = {"kind": "bearer", "id": "simduk"}
KEY = {"kind": "header", "id": "kunci", "header": "X-Api-Key"}


@pytest.fixture(scope="module")
def certificate():
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")]),
    )
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return pem, private


async def test_provider_names_anchors_and_a_credential_and_strangers_see_neither(
    call, provider, operator, stranger, interface_wanted, certificate
):
    noise = f"Authority of the province\n{certificate[0]}\nend"
    wanted = interface_wanted(addresses=[URL], trust_anchors=noise, credential=KEY)
    made = (await call("POST", "/v1/interfaces", provider, json=wanted)).json()
    assert (made["trust_anchors"], made["credential"]) == (certificate[0], KEY)
    path = f"/v1/interfaces/{made['id']}"
    assert (await call("GET", path, operator)).json() == made
    for who in (stranger, None):
        found = (await call("GET", path, who)).json()
        assert (found["trust_anchors"], found["credential"]) == (None, None)


async def test_gateway_is_told_and_publishing_without_takes_it_back(
    call, provider, gateway, interface_wanted, certificate, keys
):
    key = ECKey.import_key(json.loads((keys / "routes.jwk").read_text()))
    told = []
    for more in ({"trust_anchors": certificate[0], "credential": BEARER}, {}):
        wanted = interface_wanted(addresses=[URL], **more)
        assert (await call("POST", "/v1/interfaces", provider, json=wanted)).status_code == 201
        answer = await call("GET", "/internal/routes", gateway, params={"after": 0})
        (one,) = json.loads(jws.deserialize_compact(answer.content, key, ["ES256"]).payload)[
            "interfaces"
        ]
        told.append((one["trust_anchors"], one["credential"]))
    assert told == [(certificate[0], BEARER), ("", None)]


BAD = {
    "in the clear": ({"addresses": ["http://simduk.example"], "credential": BEARER}, "/credential"),
    "one address in the clear": ({"addresses": [URL, "http://simduk.example"], "credential": BEARER}, "/credential"),
    "no kind": ({"credential": {"id": "simduk"}}, "/credential/kind"),
    "a kind of no meaning": ({"credential": {"kind": "password", "id": "x"}}, "/credential/kind"),
    "the secret itself": ({"credential": BEARER | {"secret": "s3kret"}}, "/credential/secret"),
    "a path for an id": ({"credential": BEARER | {"id": "../x"}}, "/credential/id"),
    "a NIK for an id": ({"credential": BEARER | {"id": "a3171234567890123"}}, "/credential/id"),
    "a header without the kind": ({"credential": BEARER | {"header": "X-Api-Key"}}, "/credential"),
    "the kind without a header": ({"credential": {"kind": "header", "id": "x"}}, "/credential"),
    **{
        f"header {name}": ({"credential": KEY | {"header": name}}, "/credential/header")
        for name in ("Host", "content-length", "Sebalai-Caller", "X-Road-Client", "X Y", "X_Y", "")
    },
    "anchors that are text": ({"trust_anchors": "trust me"}, "/trust_anchors"),
    "anchors that are broken": ({"trust_anchors": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"}, "/trust_anchors"),
    "anchors too long": ({"trust_anchors": "x" * 17_000}, "/trust_anchors"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
async def test_what_cannot_be_meant_is_refused_by_its_field(call, provider, interface_wanted, case):
    more, field = BAD[case]
    wanted = interface_wanted(**({"addresses": [URL]} | more))
    answer = await call("POST", "/v1/interfaces", provider, json=wanted)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [field]
    assert "s3kret" not in answer.text


async def test_private_key_among_the_anchors_is_refused_and_not_repeated(
    call, provider, interface_wanted, certificate
):
    wanted = interface_wanted(addresses=[URL], trust_anchors="".join(certificate))
    answer = await call("POST", "/v1/interfaces", provider, json=wanted)
    assert answer.status_code == 422
    assert certificate[1].splitlines()[1] not in answer.text


async def test_interface_of_a_member_names_no_credential(call, operator, interface_wanted):
    wanted = interface_wanted(addresses=[URL], member="exchange", credential=BEARER)
    answer = await call("POST", "/v1/interfaces", operator, json=wanted)
    assert answer.status_code == 422
