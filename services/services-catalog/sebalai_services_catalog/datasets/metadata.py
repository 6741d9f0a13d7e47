"""What is said of a dataset: Satu Data's metadata (Perpres 39/2019) with the code lists of DCAT-AP.

Standard data has five elements: concept, definition, classification, measure and unit; `code` is
its number with the body that keeps it (`kode standar data`).
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

TITLE_LENGTH_MAX = 200
LINE_LENGTH_MAX = 300
TEXT_LENGTH_MAX = 2_500
URL_LENGTH_MAX = 500
ITEMS_MAX = 20
THEMES_MAX = 5
BYTES_MAX = 2**53 - 1

_PLAIN = r"^[^\x00]*$"
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=TITLE_LENGTH_MAX, pattern=_PLAIN)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=LINE_LENGTH_MAX, pattern=_PLAIN)]
Long = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=_PLAIN)]
Keyword = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{1,99}$")]
"""What CKAN takes for a tag."""
_CHARACTER = r"([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})"
_FIRST = r"([A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})"
_REST = rf"{_CHARACTER}*(#{_CHARACTER}*)?"
Url = Annotated[
    str,
    StringConstraints(
        pattern=rf"^(https://[A-Za-z0-9.-]+(:[0-9]{{1,5}})?(/{_REST})?|/{_FIRST}{_REST})$",
        max_length=URL_LENGTH_MAX,
    ),
]
"""https, or a path of this platform, in the characters of RFC 3986: others are percent-encoded, or
the published catalogue would be no linked data that all can read.
"""

Theme = Literal[
    "AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL", "INTR", "JUST", "REGI", "SOCI",
    "TECH", "TRAN",
]  # fmt: skip
THEMES: dict[Theme, tuple[str, str]] = {
    "AGRI": ("Pertanian, perikanan, kehutanan, dan pangan", "Agriculture, fisheries, forestry"),
    "ECON": ("Ekonomi dan keuangan", "Economy and finance"),
    "EDUC": ("Pendidikan, kebudayaan, dan olahraga", "Education, culture and sport"),
    "ENER": ("Energi", "Energy"),
    "ENVI": ("Lingkungan hidup", "Environment"),
    "GOVE": ("Pemerintahan dan sektor publik", "Government and public sector"),
    "HEAL": ("Kesehatan", "Health"),
    "INTR": ("Urusan internasional", "International issues"),
    "JUST": ("Hukum dan keamanan", "Justice, legal system and public safety"),
    "REGI": ("Wilayah dan kota", "Regions and cities"),
    "SOCI": ("Penduduk dan masyarakat", "Population and society"),
    "TECH": ("Ilmu pengetahuan dan teknologi", "Science and technology"),
    "TRAN": ("Perhubungan", "Transport"),
}
"""The EU's data themes, which DCAT-AP asks for, with our own Indonesian words."""

License = Literal["CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0"]
LICENSES: dict[License, tuple[str, str]] = {
    "CC-BY-4.0": (
        "Creative Commons Attribution 4.0",
        "https://creativecommons.org/licenses/by/4.0/",
    ),
    "CC-BY-SA-4.0": (
        "Creative Commons Attribution-ShareAlike 4.0",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ),
    "CC0-1.0": (
        "Creative Commons Zero 1.0",
        "https://creativecommons.org/publicdomain/zero/1.0/",
    ),
}
Frequency = Literal[
    "CONT", "DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL_2", "ANNUAL", "IRREG", "NEVER"
]
"""Codes of the EU's frequency list; ANNUAL_2 is twice a year."""
Format = Literal["CSV", "GEOJSON", "JSON", "JSON-LD", "ODS", "PDF", "XLSX", "XML", "ZIP"]
Access = Literal["PUBLIC", "RESTRICTED"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(Strict):
    id: Title
    en: Title | None = None


class Text(Strict):
    id: Long
    en: Long | None = None


class Contact(Strict):
    """A desk, never a person of its own."""

    name: Line
    email: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9._+&'*=~!$-]+@[A-Za-z0-9.-]+$", max_length=200)
    ]


class Period(Strict):
    """The days the data speak of; an open end is still going on."""

    start: date
    end: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end < self.start:
            raise ValueError("the end lies before the start")
        return self


class Distribution(Strict):
    """One way to get the data. `code` names it within the dataset."""

    code: Slug
    title: Title
    url: Url
    format: Format
    media_type: Annotated[
        str, StringConstraints(pattern=r"^[a-z]+/[A-Za-z0-9.+-]+$", max_length=100)
    ]
    description: Line | None = None
    bytes: Annotated[int, Field(ge=0, le=BYTES_MAX)] | None = None


class DataStandard(Strict):
    code: Line
    concept: Line
    definition: Long
    classification: Line
    measure: Line
    unit: Line


class Metadata(Strict):
    title: Name
    description: Text
    themes: Annotated[list[Theme], Field(min_length=1, max_length=THEMES_MAX)]
    keywords: Annotated[list[Keyword], Field(min_length=1, max_length=ITEMS_MAX)]
    license: License
    access: Access = "PUBLIC"
    region: Annotated[str, StringConstraints(pattern=r"^\d{2}(\.\d{2}){0,2}(\.\d{4})?$")] = "19"
    temporal: Period | None = None
    frequency: Frequency
    contact: Contact
    standard: DataStandard | None = None
    reference_codes: Annotated[list[Line], Field(max_length=ITEMS_MAX)] = []
    distributions: Annotated[list[Distribution], Field(min_length=1, max_length=ITEMS_MAX)]

    @model_validator(mode="after")
    def _codes_are_told_apart(self) -> Self:
        codes = [one.code for one in self.distributions]
        if len(codes) != len(set(codes)):
            raise ValueError("two distributions have the same code")
        return self
