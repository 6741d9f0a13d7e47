"""The files of the reference folder: `services/*.toml`, `service_templates/*.toml`."""

import hashlib
import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import ValidationError

from sebalai_services_catalog.provenance import ProvenanceRead
from sebalai_services_catalog.services.shapes import AgencySlug, Short, Slug, Strict
from sebalai_services_catalog.services.standard import Standard

FOLDER = "services"
TEMPLATES = "service_templates"
FILES_MAX = 5_000


class _File(Strict):
    slug: Slug
    provenance: ProvenanceRead
    standard: Standard

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


class TemplateFile(_File):
    """What many services have in common, as the nation or the province words it."""

    level: Literal["national", "provincial"]
    title: Short


class ServiceFile(_File):
    """One service as a file says it, and how sure that is; `standard` is what it says itself."""

    agency: AgencySlug
    template: Slug | None = None

    def digest(self, whole: Standard) -> str:
        """Of its meaning, inherited parts included: a changed template is a changed standard. What
        nobody filled means nothing, so that a new part of our shape changes no digest.
        """
        head = f"{self.agency}\n{self.provenance.model_dump_json()}\n"
        said = whole.model_dump_json(exclude_defaults=True)
        return hashlib.sha256((head + said).encode()).hexdigest()


def read_all(reference_folder: Path) -> list[ServiceFile]:
    """Raises `ValueError` naming the file that is wrong, or when there are none."""
    paths = _paths(reference_folder, FOLDER)
    if not paths:
        raise ValueError(f"{FOLDER}/ holds no file")
    return [ServiceFile.read(path) for path in paths]


def read_templates(reference_folder: Path) -> list[TemplateFile]:
    """Raises `ValueError` naming the file that is wrong."""
    return [TemplateFile.read(path) for path in _paths(reference_folder, TEMPLATES)]


def _paths(reference_folder: Path, folder: str) -> list[Path]:
    paths = sorted((reference_folder / folder).glob("*.toml"))
    if len(paths) > FILES_MAX:
        raise ValueError(f"{folder}/: {len(paths)} files; at most {FILES_MAX} are taken")
    return paths
