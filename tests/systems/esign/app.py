"""A stand-in for a remote signing service in the shape of BSrE's eSign API v2, for tests; nobody
should trust its signatures.

What is public of the true one is what its callers send: `POST /api/v2/sign/pdf` under Basic, with
NIK, passphrase and files in Base64. It shares no code with the adapter: pyHanko's stock signer signs.
`down` answers 503, `slow` signs and then never answers, `other` signs another document.
"""

import asyncio
import base64
import io

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

TRIES = 3


def refusal(code, said):
    return JSONResponse({"status_code": code, "error": said}, 400)


class Esign:
    """`people` by NIK: passphrase and the files of a key; `signed` are the files that were."""

    def __init__(self, user, password):
        self.expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.people, self.wrong, self.signed = {}, {}, []
        self.down = self.slow = self.other = False
        self.ended, self.asked = set(), 0

    def enrol(self, nik, passphrase, files):
        self.people[nik] = (passphrase, files)

    async def sign(self, nik, pdf, about):
        key, chain = self.people[nik][1]
        certificates = list(load_certs_from_pemder_data(chain.read_bytes()))
        registry = SimpleCertificateStore()
        registry.register_multiple(certificates)
        signer = signers.SimpleSigner(
            certificates[0], load_private_key_from_pemder(str(key), None), registry
        )
        meta = signers.PdfSignatureMetadata(
            field_name="Tanda-Tangan-1", md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES, reason=about.get("reason"),
            location=about.get("location"),
        )  # fmt: skip
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        out = await signers.PdfSigner(meta, signer).async_sign_pdf(writer, bytes_reserved=24_576)
        self.signed.append(out.getvalue())
        return out.getvalue()


def esign_app(esign):
    app = FastAPI()

    @app.post("/api/v2/sign/pdf")
    async def sign(request: Request):  # noqa: PLR0911 - one for each fault
        esign.asked += 1
        if request.headers.get("authorization") != esign.expected:
            return JSONResponse({"error": "Unauthorized"}, 401)
        if esign.down:
            return JSONResponse({"error": "Service Unavailable"}, 503)
        body = await request.json()
        nik, about = body["nik"], body["signatureProperties"][0]
        if nik not in esign.people:
            return refusal(2011, "User tidak terdaftar")
        if esign.wrong.get(nik, 0) >= TRIES:
            return refusal(2033, "Akun terkunci")
        if body["passphrase"] != esign.people[nik][0]:
            esign.wrong[nik] = esign.wrong.get(nik, 0) + 1
            return refusal(2031, "Passphrase anda salah")
        if nik in esign.ended:
            return refusal(2021, "Sertifikat kedaluwarsa")
        [document] = body["file"]
        pdf = base64.b64decode(document)
        made = await esign.sign(nik, pdf, about)
        if esign.other:
            made = made.replace(b"%PDF-1.7", b"%PDF-1.6", 1)
        while esign.slow:
            await asyncio.sleep(0.05)
        return {"time": 120, "file": [base64.b64encode(made).decode()]}

    return app
