"""Signed letters and minutes judged by programs of others: qpdf, pdfsig, openssl cms, openssl ts.

    .venv/bin/python tests/interop/archive_letter.py   # Debian: poppler-utils qpdf libnss3-tools

Writes them as the archive does (typst, file signer, timestamps over HTTP from the stand-in) at each
level from B-B to a renewed B-LTA, and forged copies, which each judge that sees what was forged
must refuse. pdfsig knows no document timestamps; openssl ts judges those, and the tokens inside
signatures.
"""

from __future__ import annotations

import asyncio
import importlib.util
import io
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType

import uvicorn
from asn1crypto import cms
from pyhanko.pdf_utils.reader import PdfFileReader
from sebalai_archive.rendering import letters, minutes
from sebalai_archive.rendering.letters import Letter, Signatory
from sebalai_archive.rendering.minutes import Minutes
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing import trial_authority
from sebalai_archive.signing.choosing import augmenter_of, signer_of
from sebalai_archive.signing.file_signer import FileSigner
from sebalai_archive.signing.outside import outside_client
from sebalai_archive.signing.profiles import token_of
from sebalai_archive.signing.signer import Intent
from sebalai_archive.signing.stamping import signature_value
from sebalai_shared.clock import SystemClock

NEEDED = ("qpdf", "pdfsig", "certutil", "openssl")
SIGNER = Signatory("Sari Contoh", "Plt. Kepala Dinas Sosial")
INTENT = Intent(SIGNER.name, SIGNER.position, "Menandatangani naskah dinas", "Pangkalpinang")
LETTER = Letter(
    "dinas sosial", "Pangkalpinang", "24 November 2026", "000.1.5/001/DINSOS/XI/2026", "Biasa",
    "Undangan rapat", ["Kepala Dinas Kesehatan"], ["Dengan hormat, kami mengundang Saudara."], [],
    SIGNER, "AAAAAAAAAAAAAAAAAAAA", "https://bus.example/api/archive/v1/verifications/AAAA",
)  # fmt: skip
MINUTES = Minutes(
    "BERITA ACARA PEMUSNAHAN ARSIP", "019a", "dinas sosial", "Pangkalpinang", "24 November 2026",
    [("Cara", "hapus elektronik")], [("execute", "pelaksana", "2026-11-24T03:00:00+00:00")],
    [{"position": 1, "number": None, "classification": "800.1.2.2", "dated": "2020-01-01",
      "record": "019a", "content_sha256": "0" * 64}], SIGNER,
)  # fmt: skip


def run(*command: object, is_good: bool = True) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert (done.returncode == 0) is is_good, f"{command[0]} ended with {done.returncode}: {said}"
    return said


def by_qpdf(pdf: Path) -> None:
    said = run("qpdf", "--check", pdf)
    assert "No syntax or stream encoding errors found" in said, said
    print(f"qpdf --check {pdf.name}: clean")


def pdfsig(pdf: Path, store: Path) -> str:
    return subprocess.run(
        ["pdfsig", "-nssdir", store, pdf], capture_output=True, text=True, check=False
    ).stdout


def by_pdfsig(pdf: Path, store: Path) -> None:
    said = pdfsig(pdf, store)
    first = said.split("Signature #2")[0]
    wanted = ["Signature is Valid.", "Certificate is Trusted.", "ETSI.CAdES.detached"]
    for one in wanted if "Signature #2" in said else [*wanted, "Total document signed"]:
        assert one in first, said
    print(f"pdfsig {pdf.name}: valid, trusted, PAdES")


def taken_apart(pdf: Path, folder: Path) -> tuple[Path, Path]:
    """The CMS and the bytes it covers, each in a file."""
    [signature] = PdfFileReader(io.BytesIO(pdf.read_bytes())).embedded_regular_signatures
    start, length, after, rest = (int(part) for part in signature.byte_range)
    data = pdf.read_bytes()
    cms, covered = folder / f"{pdf.name}.p7s", folder / f"{pdf.name}.covered"
    cms.write_bytes(bytes(signature.pkcs7_content))
    covered.write_bytes(data[start : start + length] + data[after : after + rest])
    return cms, covered


def by_openssl(pdf: Path, root: Path, folder: Path) -> None:
    cms, covered = taken_apart(pdf, folder)
    command = [
        "openssl", "cms", "-verify", "-inform", "DER", "-binary", "-in", cms, "-content", covered,
        "-CAfile", root, "-purpose", "any", "-out", "/dev/null",
    ]  # fmt: skip
    assert re.search("CMS Verification successful", run(*command))
    covered.write_bytes(covered.read_bytes() + b" ")
    run(*command, is_good=False)
    print(f"openssl cms {pdf.name}: verified; a byte more is refused")


def trusting(root: Path, folder: Path) -> Path:
    """A store of NSS that trusts this authority, for pdfsig."""
    store = folder / f"nss-{root.stem}"
    store.mkdir()
    run("certutil", "-N", "-d", f"sql:{store}", "--empty-password")
    run("certutil", "-A", "-d", f"sql:{store}", "-n", "trial", "-t", "CT,CT,CT", "-i", root)
    return store


async def stamped(folder: Path) -> tuple[list[Path], Path]:
    """The letter at B-T, B-LTA, renewed, and B-LTA of one that got no time when it was signed."""
    module = stand_in("timestamp_authority")
    authority = module.Authority(folder)
    place = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(module.authority_app(authority), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    # As long as this process: the judges ask its OCSP responder too.
    threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True).start()
    authority.open(f"http://127.0.0.1:{place.getsockname()[1]}")
    key, chain = authority.issue_signer()
    settings = ArchiveSettings(
        signing_key_file=key, signing_certificates_file=chain, private_systems="127.0.0.1",
        signing_trust_file=folder / "root.pem", timestamp_url=f"{authority.url}/tsa",
    )  # fmt: skip
    client = outside_client(settings)
    augmenter, made = augmenter_of(settings, client), {}
    assert augmenter is not None
    pdf = await letters.render(LETTER, SystemClock().now())
    made["b-t"] = (await signer_of(settings, client).sign(pdf, INTENT)).pdf
    made["b-lta"] = (await augmenter.preserve(made["b-t"])).pdf
    made["renewed"] = (await augmenter.preserve(made["b-lta"])).pdf
    late = (await FileSigner(key, chain).sign(pdf, INTENT)).pdf
    made["late"] = (await augmenter.preserve((await augmenter.stamp(late)).pdf)).pdf
    await client.aclose()
    for name, content in made.items():
        (folder / f"{name}.pdf").write_bytes(content)
    return [folder / f"{name}.pdf" for name in made], folder / "root.pem"


def stand_in(name: str) -> ModuleType:
    file = Path(__file__).parents[1] / "systems" / name / "app.py"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tokens_of(pdf: Path) -> list[tuple[bytes, bytes]]:
    """Each timestamp token of the file (DER) with the bytes that it is over."""
    data = pdf.read_bytes()
    reader, found = PdfFileReader(io.BytesIO(data)), []
    for signature in reader.embedded_regular_signatures:
        token = token_of(signature)
        if token is not None:
            info = cms.ContentInfo({"content_type": "signed_data", "content": token})
            found.append((info.dump(), signature_value(data)))
    for stamp in reader.embedded_timestamp_signatures:
        start, length, after, rest = (int(part) for part in stamp.byte_range)
        covered = data[start : start + length] + data[after : after + rest]
        found.append((cms.ContentInfo.load(stamp.pkcs7_content).dump(), covered))
    return found


def by_openssl_ts(pdf: Path, root: Path, folder: Path) -> int:
    tokens = tokens_of(pdf)
    for token, over in tokens:
        (folder / "token.der").write_bytes(token)
        (folder / "stamped").write_bytes(over)
        command = [
            "openssl", "ts", "-verify", "-in", folder / "token.der", "-token_in", "-data",
            folder / "stamped", "-CAfile", root,
        ]  # fmt: skip
        assert "Verification: OK" in run(*command)
        (folder / "stamped").write_bytes(over + b" ")
        run(*command, is_good=False)
    print(f"openssl ts {pdf.name}: {len(tokens)} timestamps verified; a byte more is refused")
    return len(tokens)


async def written(folder: Path) -> tuple[list[Path], Path]:
    key, chain, root = (folder / name for name in ("key.pem", "chain.pem", "root.pem"))
    now = SystemClock().now()
    trial_authority.write(key, chain, root, now)
    signer, made = FileSigner(key, chain), []
    for name, pdf in (
        ("letter.pdf", await letters.render(LETTER, now)),
        ("minutes.pdf", await minutes.render(MINUTES, now)),
    ):
        made.append(folder / name)
        made[-1].write_bytes((await signer.sign(pdf, INTENT)).pdf)
    return made, root


def forged_is_seen(pdf: Path, store: Path, folder: Path) -> None:
    forged = folder / "forged.pdf"
    data = bytearray(pdf.read_bytes())
    place = data.index(b"stream") + 40
    data[place] ^= 1
    forged.write_bytes(data)
    said = pdfsig(forged, store)
    assert "Signature is Valid." not in said, said
    print("pdfsig forged.pdf: refused")


def main() -> int:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        sys.stderr.write(f"install poppler-utils qpdf libnss3-tools openssl; missing: {missing}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="sebalai-letter-") as name:
        folder = Path(name)
        pdfs, root = asyncio.run(written(folder))
        store = trusting(root, folder)
        for pdf in pdfs:
            by_qpdf(pdf)
            by_pdfsig(pdf, store)
            by_openssl(pdf, root, folder)
        forged_is_seen(pdfs[0], store, folder)
        (folder / "tsa").mkdir()
        later, root = asyncio.run(stamped(folder / "tsa"))
        store, tokens = trusting(root, folder / "tsa"), 0
        for pdf in later:
            by_qpdf(pdf)
            by_pdfsig(pdf, store)
            by_openssl(pdf, root, folder)
            tokens += by_openssl_ts(pdf, root, folder)
        print(f"judged: {len(pdfs) + len(later)} signed files, {tokens} timestamps, 1 forgery seen")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
