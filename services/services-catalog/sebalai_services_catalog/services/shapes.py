"""Small shapes that the parts of a standard share: codes, channels, texts and their lengths."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NAME_LENGTH_MAX = 100
SUMMARY_LENGTH_MAX = 150
NOTE_LENGTH_MAX = 500
TEXT_LENGTH_MAX = 2_500
ITEMS_MAX = 40

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
AgencySlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Channel = Literal["daring", "loket", "telepon", "whatsapp", "aplikasi"]

_PLAIN = r"^[^\x00]*$"
Note = Annotated[str, StringConstraints(min_length=1, max_length=NOTE_LENGTH_MAX, pattern=_PLAIN)]
Long = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=_PLAIN)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX, pattern=_PLAIN)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(Strict):
    """Indonesian is required, English may be missing; pages say so when it is."""

    id: Short
    en: Short | None = None


class Summary(Strict):
    id: Annotated[str, Field(min_length=1, max_length=SUMMARY_LENGTH_MAX, pattern=_PLAIN)]
    en: (
        Annotated[str, Field(min_length=1, max_length=SUMMARY_LENGTH_MAX, pattern=_PLAIN)] | None
    ) = None


class Text(Strict):
    id: Note
    en: Note | None = None
