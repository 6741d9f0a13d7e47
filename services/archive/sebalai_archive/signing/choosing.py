"""Which signer this archive has, by its settings."""

from pathlib import Path

from sebalai_shared.clock import Clock

from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing.signer import NoSigner, Signer


def signer_of(settings: ArchiveSettings) -> Signer:
    """Raises `OSError` and `ValueError` as `FileSigner` does: a wrong key stops the start."""
    key, certificates = settings.signing_key_file, settings.signing_certificates_file
    if key is None and settings.signing_trial_dir is not None:
        key, certificates, _ = trial_files(settings.signing_trial_dir)
    if key is None or certificates is None or not key.exists():
        return NoSigner()
    # Only here: it is a fifth of the archive's start, also of its worker's and its migration's.
    from sebalai_archive.signing.file_signer import FileSigner  # noqa: PLC0415

    return FileSigner(key, certificates)


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
