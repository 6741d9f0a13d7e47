"""Which signer this archive has, and which timestamps, by its settings."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr
from sebalai_shared import http
from sebalai_shared.clock import Clock, SystemClock

from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing.account import Account
from sebalai_archive.signing.signer import Augmenting, NoSigner, Signer

if TYPE_CHECKING:
    from asn1crypto import x509

    from sebalai_archive.signing.timestamps import HttpTimestamper

# pyHanko is imported only where it is needed: it is a fifth of the archive's start, also of its
# worker's and its migration's.


def signer_of(settings: ArchiveSettings, client: http.Client | None = None) -> Signer:
    """`client` for timestamps and remote signing, where there are any. Raises `OSError` and
    `ValueError` as `FileSigner` does: a wrong key or root stops the start.
    """
    if settings.esign_url and client is not None:
        signer = _remote(settings, client)
    else:
        signer = _key_of(settings)
    if client is None or not settings.timestamp_url or isinstance(signer, NoSigner):
        return signer
    from sebalai_archive.signing.stamping import StampingSigner  # noqa: PLC0415

    return StampingSigner(signer, _timestamper(settings, client))


def _remote(settings: ArchiveSettings, client: http.Client) -> Signer:
    from sebalai_archive.signing.remote_signer import RemoteSigner  # noqa: PLC0415

    secret = settings.esign_password
    account = Account(settings.esign_user, secret.get_secret_value() if secret else "")
    return RemoteSigner(client, settings.esign_url, account, roots_of(settings), SystemClock())


def _key_of(settings: ArchiveSettings) -> Signer:
    key, certificates = settings.signing_key_file, settings.signing_certificates_file
    if settings.signing_token_module is not None and certificates is not None:
        return _token_of(settings, settings.signing_token_module, certificates)
    if key is None and settings.signing_trial_dir is not None:
        key, certificates, _ = trial_files(settings.signing_trial_dir)
    if key is None or certificates is None or not key.exists():
        return NoSigner()
    from sebalai_archive.signing.file_signer import FileSigner  # noqa: PLC0415

    return FileSigner(key, certificates)


def _token_of(settings: ArchiveSettings, module: Path, certificates: Path) -> Signer:
    from sebalai_archive.signing.token_signer import Token, TokenSigner  # noqa: PLC0415 - an extra

    pin = settings.signing_token_pin or SecretStr("")
    token = Token(module, settings.signing_token_label, settings.signing_token_key, pin)
    return TokenSigner(token, certificates)


def augmenter_of(settings: ArchiveSettings, client: http.Client) -> Augmenting | None:
    """None without a timestamp authority. Raises as `signer_of`."""
    if not settings.timestamp_url:
        return None
    from sebalai_archive.signing.augmenting import Augmenter  # noqa: PLC0415

    return Augmenter(_timestamper(settings, client), roots_of(settings), client)


def _timestamper(settings: ArchiveSettings, client: http.Client) -> "HttpTimestamper":
    from sebalai_archive.signing.timestamps import HttpTimestamper  # noqa: PLC0415

    secret, account = settings.timestamp_password, None
    if settings.timestamp_user and secret is not None:
        account = Account(settings.timestamp_user, secret.get_secret_value())
    return HttpTimestamper(client, settings.timestamp_url, roots_of(settings), account)


def roots_of(settings: ArchiveSettings) -> "list[x509.Certificate]":
    """Whom this archive trusts to vouch for signers and for time; none where nothing is set up."""
    file = settings.signing_trust_file
    if file is None and settings.signing_trial_dir is not None:
        file = trial_files(settings.signing_trial_dir)[2]
    if file is None or not file.exists():
        return []
    from pyhanko.keys import load_certs_from_pemder_data  # noqa: PLC0415

    return list(load_certs_from_pemder_data(file.read_bytes()))


def trial_files(folder: Path) -> tuple[Path, Path, Path]:
    """Key, certificates and root of a trial authority; only the root is for others."""
    return folder / "key.pem", folder / "certificates.pem", folder / "root.pem"


def prepare_trial(folder: Path, clock: Clock) -> None:
    """Makes a trial authority for an embedded platform, once. Raises `OSError`."""
    files = trial_files(folder)
    if files[0].exists():
        return
    from sebalai_archive.signing import trial_authority  # noqa: PLC0415 - once in a platform's life

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    trial_authority.write(*files, clock.now())
