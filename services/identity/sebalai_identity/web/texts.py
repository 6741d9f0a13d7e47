"""Words on pages: Indonesian stands in the templates themselves, English in `locale/en.po`. Which
of the two is the visitor's choice, else the application's, else the browser's. Times are WIB.
"""

import ast
import gettext
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from importlib import resources

HOME_LANGUAGE = "id"
LANGUAGES = ("id", "en")
WIB = timezone(timedelta(hours=7), "WIB")
ACCEPTED_MAX = 20

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


def language_of(asked: str | None, wanted: Iterable[str] = (), accepted: str = "") -> str:
    """`asked` on the page itself; `wanted` the application's ui_locales; the browser's header."""
    preferences = [asked or "", *wanted, *_accepted(accepted)]
    for preference in preferences:
        primary = preference.partition("-")[0].lower()
        if primary in LANGUAGES:
            return primary
    return HOME_LANGUAGE


def _accepted(header: str) -> list[str]:
    """Of Accept-Language (RFC 9110, 12.5.4): the best first, malformed ones left out."""
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:ACCEPTED_MAX]):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        if weight > 0:
            weighed.append((-weight, place, tag))
    return [tag for _, _, tag in sorted(weighed)]


def catalogue(language: str) -> Catalogue:
    if language == HOME_LANGUAGE:
        return Catalogue({})
    file = resources.files("sebalai_identity") / "web" / "locale" / f"{language}.po"
    return Catalogue(dict(_entries(file.read_text(encoding="utf-8"))))


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """`msgid` and `msgstr` of each entry, one line each."""
    before = ""
    for line in text.splitlines():
        keyword, _, rest = line.partition(" ")
        if keyword == "msgid":
            before = ast.literal_eval(rest)
        elif keyword == "msgstr" and before:
            yield before, ast.literal_eval(rest)


def show_time(at: datetime, language: str) -> str:
    """`24 November 2026 09.00 WIB`."""
    local = at.astimezone(WIB)
    month = _MONTHS[language].split()[local.month - 1]
    colon = "." if language == HOME_LANGUAGE else ":"
    return f"{local.day} {month} {local.year} " + local.strftime(f"%H{colon}%M WIB")
