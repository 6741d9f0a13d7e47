"""How a number is written: `{klasifikasi}/{nomor}/{unit}/{bulan_romawi}/{tahun}` and the like.

Pure. The parts are those of the official samples (reference, domain 4.2); their order is each
agency's own. Every pattern holds `{nomor}` and `{tahun}` once: else two letters could look alike.
"""

import re
from dataclasses import dataclass
from datetime import date

PATTERN_LENGTH_MAX = 120
WIDTH_MAX = 6
MONTHS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
TOKENS = frozenset({"klasifikasi", "nomor", "unit", "bulan_romawi", "bulan", "tahun", "keamanan"})
NEEDED = ("nomor", "tahun")
_TOKEN = re.compile(r"\{([a-z_]+)(?::(\d))?\}")
_LITERAL = re.compile(r"^[A-Za-z0-9./ -]*$")


@dataclass(frozen=True, slots=True)
class NumberParts:
    """What a number is made of; `day` is the letter's date in the province's time."""

    classification: str
    n: int
    unit: str
    security: str
    day: date


def check_pattern(pattern: str) -> None:
    """Raises `ValueError`, whose text says what is wrong with it."""
    names = [match[1] for match in _TOKEN.finditer(pattern)]
    if unknown := sorted(set(names) - TOKENS):
        raise ValueError(f"unknown part {{{unknown[0]}}}; known are {', '.join(sorted(TOKENS))}")
    for needed in NEEDED:
        if names.count(needed) != 1:
            raise ValueError(f"{{{needed}}} must stand in it exactly once")
    for match in _TOKEN.finditer(pattern):
        if match[2] and (match[1] != "nomor" or not 1 <= int(match[2]) <= WIDTH_MAX):
            raise ValueError(f"only {{nomor}} has a width, from 1 to {WIDTH_MAX}")
    if not _LITERAL.match(_TOKEN.sub("", pattern)):
        raise ValueError("between the parts only letters, digits, space and ./- may stand")
    if re.search(r"\}\{|\d\{nomor|\{nomor(?::\d)?\}\d", pattern):
        raise ValueError("parts need something between them, and no digit may touch {nomor}")


def written(pattern: str, parts: NumberParts) -> str:
    """The number as it stands on the letter."""
    values = {
        "klasifikasi": parts.classification,
        "unit": parts.unit,
        "keamanan": parts.security,
        "bulan_romawi": MONTHS[parts.day.month - 1],
        "bulan": f"{parts.day.month:02}",
        "tahun": str(parts.day.year),
    }

    def value(match: re.Match[str]) -> str:
        if match[1] == "nomor":
            return f"{parts.n:0{match[2] or 1}}"
        return values[match[1]]

    return _TOKEN.sub(value, pattern)
