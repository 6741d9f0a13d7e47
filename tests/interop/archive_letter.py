"""A signed letter and signed minutes judged by programs of others: qpdf, pdfsig, openssl cms.

    .venv/bin/python tests/interop/archive_letter.py   # Debian: poppler-utils qpdf libnss3-tools

Writes them as the archive does (typst, file signer) under a trial authority made for this run, and
then a forged copy, which each of the judges that see signatures must refuse.
"""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pyhanko.pdf_utils.reader import PdfFileReader
from sebalai_archive.rendering import letters, minutes
from sebalai_archive.rendering.letters import Letter, Signatory
from sebalai_archive.rendering.minutes import Minutes
from sebalai_archive.signing import trial_authority
from sebalai_archive.signing.file_signer import FileSigner
from sebalai_archive.signing.signer import Intent
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
    for wanted in (
        "Signature is Valid.", "Certificate is Trusted.", "ETSI.CAdES.detached",
        "Total document signed",
    ):  # fmt: skip
        assert wanted in said, said
    print(f"pdfsig {pdf.name}: valid, trusted, whole document, PAdES")


def taken_apart(pdf: Path, folder: Path) -> tuple[Path, Path]:
    """The CMS and the bytes it covers, each in a file."""
    [signature] = PdfFileReader(io.BytesIO(pdf.read_bytes())).embedded_signatures
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
    """A store of NSS that trusts the trial authority, for pdfsig."""
    store = folder / "nss"
    store.mkdir()
    run("certutil", "-N", "-d", f"sql:{store}", "--empty-password")
    run("certutil", "-A", "-d", f"sql:{store}", "-n", "trial", "-t", "CT,CT,CT", "-i", root)
    return store


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
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
