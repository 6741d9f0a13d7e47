"""Signing with a key in a token: SoftHSM stands for the hardware."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import SecretStr
from sebalai_archive.rendering.letters import render
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing import trial_authority
from sebalai_archive.signing.choosing import signer_of
from sebalai_archive.signing.signer import SigningUnavailable
from sebalai_archive.signing.token_signer import Token, TokenSigner
from sebalai_shared.clock import SystemClock

from services.archive.tests.signing.test_file_signer import AT, INTENT, LETTER, validated

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN, OTHER_PIN = "284105", "111111"

pytestmark = pytest.mark.skipif(
    not (MODULE.exists() and shutil.which("softhsm2-util")),
    reason="SoftHSM is not installed (Debian: softhsm2), so no token stands for the hardware",
)


def _tool(*arguments):
    subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def hardware(tmp_path_factory):
    """Two tokens, `segel` and `lain`, each with the key of its own authority. One folder for all
    tests: the module reads its settings once in the life of a process.
    """
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    for label in ("segel", "lain"):
        files = [folder / f"{label}-{name}.pem" for name in ("key", "chain", "root")]
        trial_authority.write(*files, SystemClock().now())
        _put(folder, label, files[0])
    yield folder
    del os.environ["SOFTHSM2_CONF"]


def _put(folder, label, key_file):
    key = load_pem_private_key(key_file.read_bytes(), None)
    plain = folder / f"{label}.p8"
    plain.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _tool("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "12345678")
    _tool("--import", str(plain), "--token", label, "--label", "kunci", "--id", "01", "--pin", PIN)


@pytest.fixture
def signer(hardware):
    made = []

    def make(label="segel", key="kunci", pin=PIN):
        token = Token(MODULE, label, key, SecretStr(pin))
        made.append(TokenSigner(token, hardware / "segel-chain.pem"))
        return made[-1]

    yield make
    for one in made:
        one.close()


async def test_a_letter_signed_in_the_token_is_valid_and_trusted(hardware, signer):
    made = signer()
    for _ in range(2):
        signed = await made.sign(await render(LETTER, AT), INTENT)
        status = await validated(signed.pdf, hardware / "segel-root.pem")
        assert status.valid
        assert status.intact
        assert status.trusted


async def test_a_key_that_is_not_the_certificates_signs_nothing(signer):
    with pytest.raises(SigningUnavailable, match="not that of the certificate"):
        await signer(label="lain").sign(await render(LETTER, AT), INTENT)


async def test_a_refused_pin_is_not_tried_again(signer):
    wrong, pdf = signer(pin=OTHER_PIN), await render(LETTER, AT)
    with pytest.raises(SigningUnavailable, match="refuses the PIN"):
        await wrong.sign(pdf, INTENT)
    with pytest.raises(SigningUnavailable, match="not tried again") as refused:
        await wrong.sign(pdf, INTENT)
    assert OTHER_PIN not in str(refused.value) + repr(wrong.__dict__)


@pytest.mark.parametrize("missing", [{"label": "tiada"}, {"key": "tiada"}])
async def test_a_token_that_is_away_says_so_and_is_asked_again(signer, missing):
    away, pdf = signer(**missing), await render(LETTER, AT)
    for _ in range(2):
        with pytest.raises(SigningUnavailable, match="does not sign"):
            await away.sign(pdf, INTENT)


async def test_the_settings_name_the_token(hardware, tmp_path):
    chain = hardware / "segel-chain.pem"
    named = {"signing_token_module": MODULE, "signing_token_label": "segel",
             "signing_token_key": "kunci", "signing_token_pin": SecretStr(PIN)}  # fmt: skip
    settings = ArchiveSettings(**named, signing_certificates_file=chain)
    assert isinstance(signer_of(settings), TokenSigner)
    with pytest.raises(ValueError, match="signing_token_module needs"):
        ArchiveSettings(**named)
    with pytest.raises(FileNotFoundError, match="no PKCS#11 module"):
        signer_of(settings.model_copy(update={"signing_token_module": tmp_path / "x.so"}))
