"""A stand-in for a certificate and timestamp authority, for tests; nobody should trust its word.

It shares no code with the adapter that it answers: `openssl ts -reply` writes the tokens (RFC 3161),
`cryptography` the CRL (RFC 5280) and the OCSP answers (RFC 6960). `POST /tsa` answers 503 while
`down`, 401 without the password when one is set, and another digest's token while `lying`.
"""

import base64
import subprocess
from datetime import UTC, datetime, timedelta

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

ROOT = "Otoritas Uji Sebalai (bukan BSrE)"
OPENSSL = """
[tsa]
default_tsa = own
[own]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def name(common):
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def write_key(path, key):
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


class Authority:
    """Its files stand in `folder`; `open(url)` makes root and timestamp certificate once the
    address, which the certificates name, is known.
    """

    def __init__(self, folder, password=None):
        self.folder, self.password = folder, password
        self.down = self.lying = False
        self.asked, self.revoked = 0, {}

    def open(self, url, days=365):
        self.url = url
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._certificate(ROOT, self.key.public_key(), days=3650)
        (self.folder / "root.pem").write_bytes(self.root.public_bytes(Encoding.PEM))
        (self.folder / "serial").write_text("01\n")
        (self.folder / "openssl.cnf").write_text(OPENSSL.format(folder=self.folder))
        self.renew_tsa(days)

    def renew_tsa(self, days):
        """A new certificate for timestamps, good for so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        made = self._certificate("Stempel Waktu Uji", key.public_key(), days, (usage, True), "crl")
        write_key(self.folder / "tsa.key", key)
        (self.folder / "tsa.pem").write_bytes(made.public_bytes(Encoding.PEM))
        self.tsa = made

    def add_to_tokens(self, certificates):
        """PEM of certificates that go into each token, whether they have to do with it or not."""
        (self.folder / "more.pem").write_bytes(
            (self.folder / "root.pem").read_bytes() + certificates
        )
        config = OPENSSL.replace("certs = {folder}/root.pem", "certs = {folder}/more.pem")
        (self.folder / "openssl.cnf").write_text(config.format(folder=self.folder))

    def issue_signer(self, common="Penanda Tangan Uji", days=365, status="ocsp"):
        """Key and certificates for a signer, whose state OCSP (or the CRL) tells."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._certificate(common, key.public_key(), days, None, status)
        files = (
            self.folder / f"{made.serial_number:x}.key",
            self.folder / f"{made.serial_number:x}.pem",
        )
        write_key(files[0], key)
        files[1].write_bytes(made.public_bytes(Encoding.PEM) + self.root.public_bytes(Encoding.PEM))
        return files

    def revoke(self, serial):
        self.revoked[serial] = datetime.now(UTC) - timedelta(minutes=1)

    def _certificate(self, common, public_key, days, usage=None, status=None):
        now, is_root = datetime.now(UTC), common == ROOT
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(common))
            .issuer_name(name(ROOT))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
            .add_extension(self._usage(is_root), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if usage is not None:
            builder = builder.add_extension(usage[0], critical=usage[1])
        if status == "crl":
            where = [x509.UniformResourceIdentifier(f"{self.url}/ca.crl")]
            point = x509.DistributionPoint(where, None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
        if status == "ocsp":
            where = x509.UniformResourceIdentifier(f"{self.url}/ocsp")
            access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
            builder = builder.add_extension(
                x509.AuthorityInformationAccess([access]), critical=False
            )
        return builder.sign(self.key, SHA256())

    @staticmethod
    def _usage(is_root):
        return x509.KeyUsage(
            digital_signature=not is_root, content_commitment=not is_root, key_encipherment=False,
            data_encipherment=False, key_agreement=False, key_cert_sign=is_root, crl_sign=is_root,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip

    def reply(self, query):
        if self.lying:
            asked = tsp.TimeStampReq.load(query)
            asked["message_imprint"]["hashed_message"] = bytes(32)
            query = asked.dump()
        (self.folder / "query.tsq").write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", self.folder / "openssl.cnf",
                   "-queryfile", self.folder / "query.tsq"]  # fmt: skip
        return subprocess.run(command, check=True, capture_output=True).stdout

    def crl(self):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name(ROOT))
            .last_update(now)
            .next_update(now + timedelta(days=7))
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        for serial, at in self.revoked.items():
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
            builder = builder.add_revoked_certificate(one.build())
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)

    def status(self, asked):
        request = ocsp.load_der_ocsp_request(asked)
        now, at = datetime.now(UTC), self.revoked.get(request.serial_number)
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            request.issuer_name_hash, request.issuer_key_hash, request.serial_number,
            request.hash_algorithm,
            ocsp.OCSPCertStatus.REVOKED if at else ocsp.OCSPCertStatus.GOOD,
            now, now + timedelta(days=7), at, None,
        )  # fmt: skip
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.root)
        for extension in request.extensions:
            if isinstance(extension.value, x509.OCSPNonce):
                builder = builder.add_extension(extension.value, critical=False)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)


def authority_app(authority):
    app = FastAPI()

    @app.post("/tsa")
    async def timestamp(request: Request):
        authority.asked += 1
        if authority.down:
            return Response(status_code=503)
        if authority.password is not None:
            expected = base64.b64encode(f"sebalai:{authority.password}".encode()).decode()
            if request.headers.get("authorization") != f"Basic {expected}":
                return Response(status_code=401)
        made = await run_in_threadpool(authority.reply, await request.body())
        return Response(made, media_type="application/timestamp-reply")

    @app.get("/ca.crl")
    async def crl():
        return Response(authority.crl(), media_type="application/pkix-crl")

    @app.post("/ocsp")
    async def status(request: Request):
        made = authority.status(await request.body())
        return Response(made, media_type="application/ocsp-response")

    return app
