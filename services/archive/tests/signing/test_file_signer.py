import io
import subprocess
from datetime import UTC, date, datetime

import pytest
from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from sebalai_archive.rendering.letters import Letter, Signatory, render, written_date
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing import trial_authority
from sebalai_archive.signing.choosing import prepare_trial, signer_of
from sebalai_archive.signing.file_signer import FileSigner
from sebalai_archive.signing.signer import Intent, NoSigner, SigningUnavailable
from sebalai_shared.clock import SystemClock

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
INTENT = Intent("Sari", "Kepala Dinas Sosial", "Menandatangani surat dinas", "Pangkalpinang")
LETTER = Letter(
    agency_name="Dinas Sosial",
    place="Pangkalpinang",
    date=written_date(date(2026, 11, 24)),
    number="000.1.5/001/DINSOS/XI/2026",
    urgency="Biasa",
    subject='Undangan #panic("x") *rapat*',
    addressees=["Kepala Dinas Kesehatan"],
    paragraphs=["Dengan hormat, $x$ _y_."],
    copies=["Gubernur"],
    signer=Signatory("Sari", "Kepala Dinas Sosial"),
    code="K7",
    address="https://bus.example/api/archive/v1/verifications/K7",
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    files = [folder / name for name in ("key.pem", "chain.pem", "root.pem")]
    trial_authority.write(*files, SystemClock().now())
    return files


@pytest.fixture(scope="module")
def signer(authority):
    key, chain, _ = authority
    return FileSigner(key, chain)


async def validated(pdf, root_file):
    _, _, der = pem.unarmor(root_file.read_bytes())
    context = ValidationContext(trust_roots=[x509.Certificate.load(der)])
    embedded = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
    return await async_validate_pdf_signature(embedded, context)


async def test_a_signed_letter_is_valid_trusted_and_whole(signer, authority):
    signed = await signer.sign(await render(LETTER, AT), INTENT)
    status = await validated(signed.pdf, authority[2])
    assert status.valid
    assert status.intact
    assert status.trusted
    assert signed.pdf.startswith(await render(LETTER, AT))


async def test_a_changed_byte_is_noticed(signer, authority):
    pdf = bytearray((await signer.sign(await render(LETTER, AT), INTENT)).pdf)
    pdf[200] ^= 1
    assert not (await validated(bytes(pdf), authority[2])).intact


async def test_another_authority_is_not_trusted(signer, authority, tmp_path):
    other = [tmp_path / name for name in ("key.pem", "chain.pem", "root.pem")]
    trial_authority.write(*other, SystemClock().now())
    signed = await signer.sign(await render(LETTER, AT), INTENT)
    assert not (await validated(signed.pdf, other[2])).trusted
    with pytest.raises(ValueError, match="not that of"):
        FileSigner(authority[0], other[1])


async def test_openssl_verifies_the_signature_inside(signer, authority, tmp_path):
    """Another program's word: the CMS of the PDF over the bytes it covers."""
    pdf = (await signer.sign(await render(LETTER, AT), INTENT)).pdf
    embedded = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
    first, first_size, second, second_size = embedded.byte_range
    (tmp_path / "data").write_bytes(pdf[:first_size] + pdf[second : second + second_size])
    (tmp_path / "cms").write_bytes(embedded.pkcs7_content)
    done = subprocess.run(
        ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "cms",
         "-content", tmp_path / "data", "-CAfile", authority[2], "-out", "/dev/null",
         "-purpose", "any"],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert first == 0
    assert done.returncode == 0, done.stderr


async def test_what_is_no_pdf_is_refused(signer):
    with pytest.raises(SigningUnavailable, match="cannot be signed"):
        await signer.sign(b"%PDF-1.7 nothing", INTENT)


async def test_without_a_key_nothing_is_signed():
    with pytest.raises(SigningUnavailable, match="SIGNING_KEY_FILE"):
        await NoSigner().sign(b"", INTENT)


async def test_text_of_a_letter_is_never_markup():
    assert (await render(LETTER, AT)).startswith(b"%PDF-1.7")


async def test_trial_authority_is_made_once_and_signs(tmp_path):
    folder = tmp_path / "trial"
    settings = ArchiveSettings(signing_trial_dir=folder)
    assert isinstance(signer_of(settings), NoSigner)
    prepare_trial(folder, SystemClock())
    made = (folder / "key.pem").read_bytes()
    prepare_trial(folder, SystemClock())
    assert (folder / "key.pem").read_bytes() == made
    assert (folder / "key.pem").stat().st_mode & 0o777 == 0o600
    signed = await signer_of(settings).sign(await render(LETTER, AT), INTENT)
    assert (await validated(signed.pdf, folder / "root.pem")).trusted
