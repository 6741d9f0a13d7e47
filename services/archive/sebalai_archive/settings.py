"""Settings of the archive."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr, model_validator
from sebalai_shared.settings import MemberSettings


def _or_none(told: object) -> object:
    """Where a variable is set from another that may be missing, it is empty."""
    return told or None


class ArchiveSettings(MemberSettings):
    """`content_s3_url` set: content lies in `content_s3_bucket` there, below `content_s3_path`;
    what arrives is made ready in `content_dir` all the same.

    `ocr_program`: Tesseract, which reads scans in `ocr_languages`; without it they wait.

    `signing_trust_file`: roots (PEM) that signers and timestamp authorities must lead to; where
    there is a trial authority, its root is the default.

    `signing_token_module` set: the key lies in a token (PKCS#11; needs the extra `pkcs11`), by
    `signing_token_label` and `signing_token_key`, opened by `signing_token_pin`.

    `timestamp_url` empty: signatures stay PAdES B-B. `timestamp_user` and `timestamp_password` only
    where the authority knows its customers. `esign_url` set: people sign there with their own
    passphrases (BSrE), and there is no key here; with it go `esign_user`, `esign_password` and
    `signing_trust_file`. `private_systems`: hosts or networks that outside
    systems of ours, and the revocation lists of their certificates, may stand on inside private
    ranges (comma list). `oai_email`: whom harvesters write to.

    `srikandi_url` set: letters go to the national application and come from it, with
    `srikandi_token`, for the agencies in `srikandi_units_file` (JSON, its code to our slug).
    """

    content_dir: Path = Path(".run/content")
    content_keys_file: Path | None = None
    content_s3_url: str = ""
    content_s3_bucket: str = ""
    content_s3_region: str = "us-east-1"
    content_s3_path: str = ""
    content_s3_key_id: str = ""
    content_s3_secret: SecretStr | None = None
    ocfl_dir: Path | None = None
    replica_dir: Path | None = None
    scrub_bytes_per_second: int = 50 * 1024**2
    clamd_socket: Path | None = None
    ocr_program: Annotated[Path | None, BeforeValidator(_or_none)] = None
    ocr_languages: str = "ind"
    content_bytes_limit: int = 1024**3
    signing_key_file: Path | None = None
    signing_certificates_file: Path | None = None
    signing_token_module: Path | None = None
    signing_token_label: str = ""
    signing_token_key: str = ""
    signing_token_pin: SecretStr | None = None
    signing_trial_dir: Path | None = None
    signing_trust_file: Path | None = None
    timestamp_url: str = ""
    timestamp_user: str = ""
    timestamp_password: SecretStr | None = None
    esign_url: str = ""
    esign_user: str = ""
    esign_password: SecretStr | None = None
    private_systems: str = ""
    oai_email: str = "operator@localhost"
    srikandi_url: str = ""
    srikandi_token: SecretStr | None = None
    srikandi_units_file: Path | None = None

    @property
    def ocfl_root(self) -> Path | None:
        """Beside the content, so that objects are second links of it; content in a bucket is copied
        to this machine only where that was asked for.
        """
        beside = None if self.content_s3_url else self.content_dir / "ocfl"
        return self.ocfl_dir or beside

    @model_validator(mode="after")
    def _outside_is_whole(self) -> Self:
        if self.content_s3_url:
            self._require_bucket()
        if self.timestamp_url and not (self.signing_trust_file or self.signing_trial_dir):
            raise ValueError("timestamp_url needs signing_trust_file too")
        if bool(self.timestamp_user) != bool(self.timestamp_password):
            raise ValueError("timestamp_user and timestamp_password go together")
        if self.timestamp_user:
            self._require_tls(self.timestamp_url)
        if self.esign_url:
            self._require_esign()
        if self.srikandi_url:
            self._require_srikandi()
        if self.signing_token_module is not None:
            self._require_token()
        return self

    def _require_token(self) -> None:
        named = self.signing_token_label and self.signing_token_key and self.signing_token_pin
        if not (named and self.signing_certificates_file) or self.signing_key_file:
            raise ValueError(
                "signing_token_module needs signing_token_label, signing_token_key,"
                " signing_token_pin and signing_certificates_file, and no signing_key_file"
            )

    def _require_srikandi(self) -> None:
        if not (self.srikandi_token and self.srikandi_units_file):
            raise ValueError("srikandi_url needs srikandi_token and srikandi_units_file")
        self._require_tls(self.srikandi_url)

    def _require_bucket(self) -> None:
        if not (self.content_s3_bucket and self.content_s3_key_id and self.content_s3_secret):
            raise ValueError(
                "content_s3_url needs content_s3_bucket, content_s3_key_id and content_s3_secret"
            )
        self._require_tls(self.content_s3_url)

    def _require_esign(self) -> None:
        if not (self.esign_user and self.esign_password and self.signing_trust_file):
            raise ValueError("esign_url needs esign_user, esign_password and signing_trust_file")
        self._require_tls(self.esign_url)

    def _require_tls(self, url: str) -> None:
        """A password goes over TLS, or to a system of ours on a host that is named."""
        place = urlsplit(url)
        named = {one.strip() for one in self.private_systems.split(",")}
        if place.scheme != "https" and place.hostname not in named:
            raise ValueError(f"{place.hostname} gets a password only over https")
