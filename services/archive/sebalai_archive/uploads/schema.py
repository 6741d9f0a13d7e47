"""Headers of tus 1.0.0 (https://tus.io/protocols/resumable-upload): metadata and checksums."""

import base64
import binascii
from dataclasses import dataclass

from sebalai_shared.problems import Problem

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,termination,checksum"
ALGORITHMS = ("sha256", "sha1")
METADATA_LENGTH_MAX = 4_000
DIGEST_BYTES = {"sha256": 32, "sha1": 20}


class UploadMetadataInvalid(Problem):
    status, slug, title = 400, "upload-metadata-invalid", "Upload-Metadata cannot be used"


class UploadChecksumInvalid(Problem):
    status, slug, title = 400, "upload-checksum-invalid", "Upload-Checksum cannot be used"


@dataclass(frozen=True, slots=True)
class Checksum:
    """What one PATCH must hash to."""

    algorithm: str
    digest: bytes


def metadata_of(header: str) -> dict[str, str]:
    """Key to decoded value. Raises `UploadMetadataInvalid`."""
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise UploadMetadataInvalid(
                f"The value of {key[:40]!r} must be base64 of UTF-8 text."
            ) from error
    return found


def checksum_of(header: str | None) -> Checksum | None:
    """Raises `UploadChecksumInvalid`; no header, no check."""
    if header is None:
        return None
    algorithm, _, value = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise UploadChecksumInvalid(f"Take one of {', '.join(ALGORITHMS)}.")
    try:
        digest = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise UploadChecksumInvalid("The checksum must be base64.") from error
    if len(digest) != DIGEST_BYTES[algorithm]:
        raise UploadChecksumInvalid(f"A {algorithm} has {DIGEST_BYTES[algorithm]} bytes.")
    return Checksum(algorithm, digest)
