"""The content store and the OCFL root this archive has, by its settings."""

from sebalai_archive.content.files import FilePlace
from sebalai_archive.content.keys import ClassKeys
from sebalai_archive.content.objects import Preservation
from sebalai_archive.content.places import Place
from sebalai_archive.content_store import ContentStore
from sebalai_archive.settings import ArchiveSettings


def content_store_of(settings: ArchiveSettings) -> ContentStore:
    """Raises `OSError` and `KeysMalformed`: wrong keys stop the start."""
    keys = ClassKeys.from_file(settings.content_keys_file)
    return ContentStore(_place_of(settings), settings.content_bytes_limit, keys)


def preservation_of(settings: ArchiveSettings) -> Preservation | None:
    folder = settings.ocfl_root
    return Preservation.at(folder) if folder is not None else None


def _place_of(settings: ArchiveSettings) -> Place:
    if not settings.content_s3_url:
        return FilePlace(settings.content_dir)
    from sebalai_archive.content.s3 import Bucket, S3Place, open_bucket  # noqa: PLC0415 - large, and few have one

    secret = settings.content_s3_secret
    bucket = Bucket(
        settings.content_s3_url,
        settings.content_s3_bucket,
        settings.content_s3_region,
        settings.content_s3_path,
        settings.content_s3_key_id,
        secret.get_secret_value() if secret else "",
    )
    return S3Place(open_bucket(bucket), settings.content_dir / "stage")
