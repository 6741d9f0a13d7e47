"""The reviewed data files of services: `services/*.toml` in the reference folder."""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from sebalai_services_catalog.provenance import ProvenanceRead

FOLDER = "services"
NAME_LENGTH_MAX = 100
SUMMARY_LENGTH_MAX = 150
FILES_MAX = 5_000

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
AgencySlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Audience = Literal["instansi_pemerintah", "asn", "pelaku_usaha", "masyarakat", "pihak_lain"]
Channel = Literal["daring", "loket", "telepon", "whatsapp", "aplikasi"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Strict):
    id: str = Field(min_length=1, max_length=NAME_LENGTH_MAX)
    en: str = Field(min_length=1, max_length=NAME_LENGTH_MAX)


class Summary(_Strict):
    id: str = Field(min_length=1, max_length=SUMMARY_LENGTH_MAX)
    en: str = Field(min_length=1, max_length=SUMMARY_LENGTH_MAX)


class ServiceFile(_Strict):
    """One service as an officer reviewed it."""

    slug: Slug
    agency: AgencySlug
    audiences: list[Audience] = Field(min_length=1)
    life_event: Slug
    channels: list[Channel] = Field(min_length=1)
    name: Name
    summary: Summary
    provenance: ProvenanceRead

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises `ValueError` naming the file."""
        try:
            found = cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise ValueError(f"{path.name}: {error}") from error
        if found.slug != path.stem:
            raise ValueError(f"{path.name}: the slug must be the file's name")
        return found

    def digest(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def read_all(reference_folder: Path) -> list[ServiceFile]:
    """Raises `ValueError` naming the file that is wrong, or when there are none."""
    paths = sorted((reference_folder / FOLDER).glob("*.toml"))
    if not 0 < len(paths) <= FILES_MAX:
        raise ValueError(f"{FOLDER}/: {len(paths)} files; 1 to {FILES_MAX} are taken")
    return [ServiceFile.read(path) for path in paths]
