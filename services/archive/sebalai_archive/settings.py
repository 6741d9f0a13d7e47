"""Settings of the archive."""

from pathlib import Path

from sebalai_shared.settings import MemberSettings


class ArchiveSettings(MemberSettings):
    content_dir: Path = Path(".run/content")
    replica_dir: Path | None = None
    scrub_bytes_per_second: int = 50 * 1024**2
    clamd_socket: Path | None = None
    content_bytes_limit: int = 1024**3
    signing_key_file: Path | None = None
    signing_certificates_file: Path | None = None
    signing_trial_dir: Path | None = None
