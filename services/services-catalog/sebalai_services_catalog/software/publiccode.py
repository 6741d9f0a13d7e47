"""What is said of software: `publiccode.yml` 0.4 (yml.publiccode.tools), as shapes and as YAML.

Named as the standard names it. A value is written as JSON, which YAML reads; texts that YAML would
read as something else are refused.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

VERSION = "0.4"
NAME_LENGTH_MAX = 100
SHORT_LENGTH_MAX = 150
LONG_LENGTH_MIN, LONG_LENGTH_MAX = 150, 10_000
FEATURE_LENGTH_MAX = 100
URL_LENGTH_MAX = 500
ITEMS_MAX = 100
LANGUAGES_MAX = 10
INDENT = "  "

_LINE = "^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]*$"
_TEXT = "^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]*$"
Line = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX, pattern=_LINE)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=SHORT_LENGTH_MAX, pattern=_LINE)]
Long = Annotated[
    str,
    StringConstraints(min_length=LONG_LENGTH_MIN, max_length=LONG_LENGTH_MAX, pattern=_TEXT),
]
Feature = Annotated[
    str, StringConstraints(min_length=1, max_length=FEATURE_LENGTH_MAX, pattern=_LINE)
]
Url = Annotated[
    str,
    StringConstraints(pattern=r"^https://[!-~]+$", max_length=URL_LENGTH_MAX),
]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Country = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
License = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 .()+-]{1,200}$")]
Email = Annotated[
    str, StringConstraints(pattern=r"^[!-;=?A-~]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$", max_length=254)
]
Codes = Annotated[list[Code], Field(min_length=1, max_length=ITEMS_MAX)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, validate_by_alias=True, validate_by_name=True
    )


class Audience(_Part):
    countries: list[Country] = Field(default=[], max_length=ITEMS_MAX)
    unsupported_countries: list[Country] = Field(default=[], max_length=ITEMS_MAX)
    scope: list[Code] = Field(default=[], max_length=ITEMS_MAX)


class Description(_Part):
    """In one language."""

    localised_name: Line | None = None
    short_description: Short
    long_description: Long
    documentation: Url | None = None
    api_documentation: Url | None = None
    features: Annotated[list[Feature], Field(min_length=1, max_length=ITEMS_MAX)]


class Legal(_Part):
    """`license` is an SPDX expression."""

    license: License
    main_copyright_owner: Line | None = None
    repo_owner: Line | None = None


class Contact(_Part):
    name: Line
    email: Email | None = None
    affiliation: Line | None = None


class Contractor(_Part):
    name: Line
    until: date
    website: Url | None = None


class Maintenance(_Part):
    """Who keeps it: contacts, or contractors and until when."""

    type: Literal["internal", "contract", "community", "none"]
    contacts: list[Contact] = Field(default=[], max_length=ITEMS_MAX)
    contractors: list[Contractor] = Field(default=[], max_length=ITEMS_MAX)

    @model_validator(mode="after")
    def _names_who(self) -> Self:
        if self.type in ("internal", "community") and not self.contacts:
            raise ValueError("name a contact")
        if self.type == "contract" and not self.contractors:
            raise ValueError("name the contractor and until when")
        return self


class Localisation(_Part):
    localisation_ready: bool
    available_languages: Annotated[list[Language], Field(min_length=1, max_length=ITEMS_MAX)]


class PublicCode(_Part):
    publiccode_yml_version: Literal["0.4"] = VERSION
    name: Line
    url: Url
    landing_url: Annotated[Url | None, Field(alias="landingURL")] = None
    software_version: Line | None = None
    release_date: date | None = None
    platforms: Codes
    categories: Codes
    development_status: Literal["concept", "development", "beta", "stable", "obsolete"]
    software_type: Literal[
        "standalone/mobile", "standalone/iot", "standalone/desktop", "standalone/web",
        "standalone/backend", "standalone/other", "addon", "library", "configurationFiles",
    ]  # fmt: skip
    intended_audience: Audience | None = None
    description: Annotated[
        dict[Language, Description], Field(min_length=1, max_length=LANGUAGES_MAX)
    ]
    legal: Legal
    maintenance: Maintenance
    localisation: Localisation


def document_of(code: PublicCode) -> dict[str, Any]:
    """As the standard's keys; what is not said is left out."""
    said = code.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)
    return {"publiccodeYmlVersion": VERSION} | said


def as_yaml(document: Mapping[str, Any]) -> str:
    return "".join(f"{line}\n" for line in _lines(document, ""))


def _lines(document: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{name}:"
            yield from _lines(value, indent + INDENT)
        else:
            yield f"{indent}{name}: {json.dumps(value, ensure_ascii=False)}"
