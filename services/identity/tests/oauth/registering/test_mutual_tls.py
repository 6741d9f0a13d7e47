"""Clients that come by a certificate (RFC 8705): their own or an authority's, and tokens bound to it.

The certificate reaches the member as the gateway hands it on: `Client-Cert` and its signed word.
"""

import base64
import hashlib
import json
from datetime import timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import ECKey, RSAKey
from sebalai_identity.oauth import certificates
from sebalai_shared.caller import Caller

MTLS = "https://mtls.bus.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SYSTEM = {
    "client_name": "Simpeg", "grant_types": ["client_credentials"], "scope": "bus.call",
    "redirect_uris": None, "response_types": [],
}  # fmt: skip
SELF_SIGNED = SYSTEM | {"token_endpoint_auth_method": "self_signed_tls_client_auth"}
PKI = SYSTEM | {"token_endpoint_auth_method": "tls_client_auth", "jwks": None}
METADATA = "invalid_client_metadata"


class Made:
    """A certificate with its key; `jwk`: as it stands in its client's set."""

    def __init__(self, clock, common, issuer=None, *, days=30, key=None, extensions=()):
        self.key, self._common = key or ec.generate_private_key(ec.SECP256R1()), common
        now, above = clock.now(), issuer or self
        made = x509.CertificateBuilder(
            above.name, self.name, self.key.public_key(), x509.random_serial_number(),
            now - timedelta(days=1), now + timedelta(days=days),
        ).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(above.key.public_key()), critical=False
        )  # fmt: skip
        for extension, is_critical in extensions:
            made = made.add_extension(extension, is_critical)
        self.certificate = made.sign(above.key, hashes.SHA256())
        self.der = self.certificate.public_bytes(Encoding.DER)

    @property
    def name(self):
        parts = (NameOID.COUNTRY_NAME, "ID"), (NameOID.COMMON_NAME, self._common)
        return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])

    @property
    def jwk(self):
        kind = RSAKey if isinstance(self.key, rsa.RSAPrivateKey) else ECKey
        public = kind.import_key(self.key.public_key()).as_dict(private=False)
        return public | {"x5c": [base64.b64encode(self.der).decode()]}

    @property
    def header(self):
        return f":{base64.b64encode(self.der).decode()}:"

    @property
    def thumbprint(self):
        return certificates.thumbprint_of(self.der)


def named(*names):
    return (x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)


@pytest.fixture
def make(clock):
    def make(common="simpeg", issuer=None, **more):
        return Made(clock, common, issuer, **more)

    return make


@pytest.fixture
def authority(make):
    usage = x509.KeyUsage(*[False] * 5, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False)  # fmt: skip
    key = ec.generate_private_key(ec.SECP256R1())
    return make(
        "Authority", key=key,
        extensions=[
            (x509.BasicConstraints(ca=True, path_length=0), True), (usage, True),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        ],
    )  # fmt: skip


@pytest.fixture
def settings(settings, authority, tmp_path):
    trusted = tmp_path / "authorities.pem"
    trusted.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    return settings.model_copy(update={"mtls_url": MTLS, "client_authorities_file": trusted})


@pytest.fixture
def post(call):
    async def post(path, form, shown=None, word=True, headers=None):
        """`word`: what the gateway says of the certificate; True: that it has seen this one."""
        headers = FORM | (headers or {})
        if shown is not None:
            headers["Client-Cert"] = shown.header
            word = shown.thumbprint if word is True else word
        caller = Caller(certificate=word) if isinstance(word, str) else None
        body = "&".join(f"{name}={value}" for name, value in form.items())
        return await call("POST", path, caller, content=body, headers=headers)

    return post


@pytest.fixture
def token(post):
    async def token(client_id, shown=None, word=True, **more):
        form = {"grant_type": "client_credentials", "client_id": client_id} | more
        return await post("/oauth/token", form, shown, word)

    return token


def refusal(answer):
    return answer.status_code, answer.json().get("error")


REFUSED = (401, "invalid_client")


async def bound_to(call, answer):
    assert answer.status_code == 200, answer.text
    body = answer.json()["access_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=="))["cnf"]


async def test_discovery_tells_where_and_how(call):
    found = (await call("GET", "/.well-known/openid-configuration")).json()
    for endpoint in ("token", "introspection", "revocation"):
        methods = found[f"{endpoint}_endpoint_auth_methods_supported"]
        assert {"tls_client_auth", "self_signed_tls_client_auth", "private_key_jwt"} <= set(methods)
    assert found["tls_client_certificate_bound_access_tokens"] is True
    aliases = found["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == f"{MTLS}/oauth/token"
    assert set(aliases) <= set(found)
    assert all(alias.startswith(f"{MTLS}/") for alias in aliases.values())


async def test_certificate_of_the_clients_own_proves_it_at_every_endpoint(
    registrar, metadata, make, token, post, call
):
    own, other = make(), make()
    client = await registrar.approved(metadata(**SELF_SIGNED | {"jwks": {"keys": [own.jwk]}}))
    assert client["token_endpoint_auth_method"] == "self_signed_tls_client_auth"
    assert client["jwks"]["keys"][0]["x5c"] == own.jwk["x5c"]
    client_id = client["client_id"]
    answer = await token(client_id, own)
    assert await bound_to(call, answer) == {"x5t#S256": own.thumbprint}
    form = {"client_id": client_id, "token": answer.json()["access_token"]}
    introspected = await post("/oauth/introspect", form, own)
    assert introspected.json()["cnf"] == {"x5t#S256": own.thumbprint}
    for path in ("/oauth/introspect", "/oauth/revoke", "/oauth/par"):
        assert refusal(await post(path, form, other)) == REFUSED, path
        assert refusal(await post(path, form)) == REFUSED, path
    assert (await post("/oauth/revoke", form, own)).status_code == 200
    assert (await post("/oauth/introspect", form, own)).json() == {"active": False}
    assert (await post("/oauth/par", form, own)).json()["error"] != "invalid_client"


async def test_nobody_is_believed_for_a_header(registrar, metadata, make, token):
    own, other = make(), make()
    made = await registrar.approved(metadata(**SELF_SIGNED | {"jwks": {"keys": [own.jwk]}}))
    for word in (None, other.thumbprint, "x"):
        assert refusal(await token(made["client_id"], own, word)) == REFUSED, word
    # The gateway's word without the certificate itself.
    assert refusal(await token(made["client_id"], None, own.thumbprint)) == REFUSED
    assert refusal(await token(made["client_id"], other)) == REFUSED


async def test_client_of_certificates_has_no_other_way_in(
    registrar, metadata, make, party, key, token
):
    public = key.as_dict(private=False)
    jwks = {"keys": [make(key=key.private_key).jwk | public]}
    one = party(await registrar.approved(metadata(**SELF_SIGNED | {"jwks": jwks})))
    answer = await one.token(grant_type="client_credentials")
    assert refusal(answer) == REFUSED
    made = await registrar.approved(metadata(**SYSTEM))
    other = make(key=key.private_key)
    assert refusal(await token(made["client_id"], other)) == REFUSED


async def test_certificate_that_is_not_valid_now_opens_nothing(
    registrar, metadata, make, token, clock
):
    own = make(days=2)
    made = await registrar.approved(metadata(**SELF_SIGNED | {"jwks": {"keys": [own.jwk]}}))
    assert (await token(made["client_id"], own)).status_code == 200
    clock.move(timedelta(days=3))
    assert refusal(await token(made["client_id"], own)) == REFUSED


async def test_renewed_certificate_is_read_where_its_client_publishes_it(
    registrar, metadata, make, token, documents, clock
):
    old, new = make(), make(key=rsa.generate_private_key(65_537, 2_048))
    documents.served["/jwks"] = {"keys": [old.jwk]}
    address = f"{documents.address}/jwks"
    made = await registrar.approved(metadata(**SELF_SIGNED, jwks=None, jwks_uri=address))
    assert (await token(made["client_id"], old)).status_code == 200
    documents.served["/jwks"] = {"keys": [new.jwk]}
    assert (await token(made["client_id"], new)).status_code == 200
    clock.move(timedelta(minutes=1))
    assert refusal(await token(made["client_id"], old)) == REFUSED
    assert (await token(made["client_id"], new)).status_code == 200
    documents.served["/jwks"] = {"keys": [old.jwk | {"x5c": new.jwk["x5c"]}]}
    clock.move(timedelta(minutes=1))
    assert refusal(await token(made["client_id"], old)) == REFUSED


SUBJECTS = [
    {"tls_client_auth_subject_dn": "CN=simpeg,C=ID"},
    {"tls_client_auth_san_dns": "simpeg.bkpsdmd.example"},
    {"tls_client_auth_san_uri": "urn:example:simpeg"},
    {"tls_client_auth_san_ip": "2001:0db8::1"},
    {"tls_client_auth_san_email": "simpeg@bkpsdmd.example"},
]


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_authoritys_certificate_proves_the_client_it_names(
    registrar, metadata, make, authority, token, subject
):
    made = await registrar.approved(metadata(**PKI | subject))
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("Simpeg.bkpsdmd.example"), x509.UniformResourceIdentifier("urn:example:simpeg"),
            x509.IPAddress(ip_address("2001:db8::1")),
            x509.RFC822Name("simpeg@bkpsdmd.example"),
        ]
    )  # fmt: skip
    good = make(issuer=authority, extensions=[(names, False)])
    assert (await token(made["client_id"], good)).status_code == 200
    other = make("other", authority, extensions=[named("other.example")])
    assert refusal(await token(made["client_id"], other)) == REFUSED
    self_made = make(extensions=[(names, False)])
    assert refusal(await token(made["client_id"], self_made)) == REFUSED
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    for_servers = make(issuer=authority, extensions=[(names, False), (server, False)])
    assert refusal(await token(made["client_id"], for_servers)) == REFUSED


async def test_client_may_be_asked_for_its_key_and_its_tokens_for_a_certificate(
    registrar, metadata, make, signed_in, post, call
):
    shown = make()
    wanted = metadata(tls_client_certificate_bound_access_tokens=True)
    one = await signed_in(await registrar.approved(wanted))
    code = await one.code()
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": one.verifier,
            "redirect_uri": "https://rp.example/back"}  # fmt: skip
    refused = await post("/oauth/token", form | one.credentials())
    assert refusal(refused) == (400, "invalid_request")
    answer = await post("/oauth/token", form | one.credentials(), shown)
    assert await bound_to(call, answer) == {"x5t#S256": shown.thumbprint}
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await post("/oauth/userinfo", {}, shown, headers=bearer)).status_code == 200
    for other in (None, make()):
        refused = await post("/oauth/userinfo", {}, other, headers=bearer)
        assert refusal(refused) == (401, "invalid_token")


async def test_application_of_the_operators_ends_with_its_registration(
    call, loaded, operator, make, token, clock
):
    own = make(days=60)
    body = {
        "agency": "dinsos-pmd", "name": "tersertifikat",
        "valid_until": (clock.now() + timedelta(days=1)).isoformat(),
        "client": {"certificate_thumbprints": [own.thumbprint]},
    }  # fmt: skip
    made = await call("POST", "/v1/applications", operator, json=body)
    assert made.status_code == 201, made.text
    assert (await token(made.json()["client_id"], own)).status_code == 200
    clock.move(timedelta(days=2))
    assert refusal(await token(made.json()["client_id"], own)) == REFUSED


async def test_waiting_client_is_told_so_once_it_proves_itself(registrar, metadata, make, token):
    own = make()
    made = await registrar.register(metadata(**SELF_SIGNED | {"jwks": {"keys": [own.jwk]}}))
    assert refusal(await token(made["client_id"], own)) == (400, "unauthorized_client")
    assert refusal(await token(made["client_id"], make())) == REFUSED


WRONG = [
    (SELF_SIGNED | {"jwks": None}, "jwks"),
    (SELF_SIGNED, "jwks"),
    (SELF_SIGNED | {"jwks": {"keys": [{"kty": "EC", "x5c": ["AAAA"]}]}}, "jwks"),
    (SELF_SIGNED | {"jwks": {"keys": [{"kty": ["EC"], "x5c": "AAAA"}]}}, "jwks"),
    (SELF_SIGNED | {"require_signed_request_object": True}, "require_signed_request_object"),
    (PKI, "tls_client_auth_subject_dn"),
    (PKI | SUBJECTS[0] | SUBJECTS[1], "tls_client_auth_subject_dn"),
    (PKI | {"tls_client_auth_subject_dn": "nobody"}, "tls_client_auth_subject_dn"),
    (PKI | {"tls_client_auth_san_dns": "*.example"}, "tls_client_auth_san_dns"),
    (PKI | {"tls_client_auth_san_ip": "10.0.0"}, "tls_client_auth_san_ip"),
    (SYSTEM | SUBJECTS[0], "tls_client_auth_subject_dn"),
    ({"token_endpoint_auth_method": "none", "jwks": None,
      "tls_client_certificate_bound_access_tokens": True},
     "tls_client_certificate_bound_access_tokens"),
]  # fmt: skip


async def test_metadata_that_proves_nobody_is_refused_by_its_name(registrar, metadata):
    initial = (await registrar.initial())["token"]
    for change, name in WRONG:
        answer = await registrar.send(initial, metadata(**change))
        assert refusal(answer) == (400, METADATA), (change, answer.text)
        assert answer.json()["error_description"].startswith(f"{name}:"), (change, answer.text)


def test_thumbprint_is_that_of_the_specification(make):
    made = make()
    digest = hashlib.sha256(made.der).digest()
    assert made.thumbprint == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
