"""Which signer this archive has, by its settings."""

from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing.signer import NoSigner, Signer


def signer_of(settings: ArchiveSettings) -> Signer:
    """Raises `OSError` and `ValueError` as `FileSigner` does: a wrong key stops the start."""
    if settings.signing_key_file is None or settings.signing_certificates_file is None:
        return NoSigner()
    # Only here: it is a fifth of the archive's start, also of its worker's and its migration's.
    from sebalai_archive.signing.file_signer import FileSigner  # noqa: PLC0415

    return FileSigner(settings.signing_key_file, settings.signing_certificates_file)
