"""Words on pages: Indonesian stands in the templates themselves, other languages in `locale/*.po`.
Reads the catalogues once at start; nothing is compiled. Times are shown in Western Indonesia Time.
"""

from __future__ import annotations

import ast
import gettext
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from importlib import resources

HOME_LANGUAGE = "id"
LANGUAGES = ("id", "en")
WIB = timezone(timedelta(hours=7), "WIB")

_MONTHS = {
    "id": "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
    "en": "January February March April May June July August September October November December",
}


class Catalogue(gettext.NullTranslations):
    """Messages by their Indonesian text; one without a translation stays Indonesian."""

    def __init__(self, messages: dict[str, str]) -> None:
        super().__init__()
        self.messages = messages

    def gettext(self, message: str) -> str:
        return self.messages.get(message) or message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def language_of(asked: str | None) -> str:
    """The language asked for, or Indonesian when there is no such catalogue."""
    return asked if asked in LANGUAGES else HOME_LANGUAGE


def catalogue(language: str) -> Catalogue:
    if language == HOME_LANGUAGE:
        return Catalogue({})
    file = resources.files("sebalai_portal") / "locale" / f"{language}.po"
    return Catalogue(dict(_entries(file.read_text(encoding="utf-8"))))


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """`msgid` and `msgstr` pairs of a .po file, with continued lines; plurals are not used."""
    entry: dict[str, str] = {}
    field = ""
    for line in [*text.splitlines(), 'msgid ""']:
        keyword, _, rest = line.partition(" ")
        if keyword in ("msgid", "msgstr"):
            if keyword == "msgid" and entry.get("msgid"):
                yield entry["msgid"], entry.get("msgstr", "")
            entry = {} if keyword == "msgid" else entry
            field, entry[keyword] = keyword, ast.literal_eval(rest)
        elif line.startswith('"') and field:
            entry[field] += ast.literal_eval(line)


def show_time(at: datetime, language: str) -> str:
    """`24 November 2026 09.00.31,250 WIB`: as precise as the record is."""
    local = at.astimezone(WIB)
    month = _MONTHS[language].split()[local.month - 1]
    point = "," if language == HOME_LANGUAGE else "."
    colon = "." if language == HOME_LANGUAGE else ":"
    clock = local.strftime(f"%H{colon}%M{colon}%S") + f"{point}{local.microsecond // 1000:03}"
    return f"{local.day} {month} {local.year} {clock} WIB"


def show_day(day: date, language: str) -> str:
    """`24 November 2026`."""
    return f"{day.day} {_MONTHS[language].split()[day.month - 1]} {day.year}"


def show_day_and_clock(at: datetime, language: str) -> str:
    """`24 Nov 09.00.31`: for lists of the last minutes."""
    local = at.astimezone(WIB)
    month = _MONTHS[language].split()[local.month - 1][:3]
    colon = "." if language == HOME_LANGUAGE else ":"
    return f"{local.day} {month} " + local.strftime(f"%H{colon}%M{colon}%S")
