"""The numbers of persons and businesses: NIK, NIP, NPWP and NIB, read and checked.

Pure: structure only, by the reference vectors (identity_test_vectors.csv). Whether a number was
ever given to somebody is Dukcapil's, BKN's, DJP's and OSS's knowledge, not ours. A number is text
without separators, as it stands on the card; a spreadsheet's 1,97101E+15 is refused.
"""

import re
from dataclasses import dataclass
from datetime import date

NIK_DIGITS, NIP_DIGITS, NIB_DIGITS = 16, 18, 13
NPWP_OLD_DIGITS, NPWP_DIGITS = 15, 16
MAN, WOMAN = "L", "P"
PNS, PPPK = "PNS", "PPPK"
WOMAN_DAY_ADDED = 40
DAY_MAX, MONTH_MAX = 31, 12
CENTURY = 100
START_AGE_MIN_YEARS = 18
PPPK_FIRST_APPOINTMENT = 21
PPPK_FIRST_YEAR = 2019
"""PP 49/2018 made the PPPK; the first were appointed in 2019."""

# Kemendagri codes of the 38 provinces (Kepmendagri 100.1.1-6117/2022 and later).
PROVINCES = frozenset(
    str(code)
    for codes in (
        range(11, 20),
        (21,),
        range(31, 37),
        range(51, 54),
        range(61, 66),
        range(71, 77),
        range(81, 83),
        range(91, 97),
    )
    for code in codes
)
_DIGITS = re.compile(r"[0-9]+")


class NumberInvalid(ValueError):
    """`reason` is one word of the reference vectors. The number itself is never in the text."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind, self.reason = kind, reason


@dataclass(frozen=True, slots=True)
class Nik:
    """`region` is the district of first issue: it says nothing about where somebody lives now."""

    birth_date: date
    sex: str
    region: str
    is_century_ambiguous: bool

    def is_born_on(self, day: date) -> bool:
        """Whether the number can belong to somebody born that day, in either century."""
        told = self.birth_date
        years = {told.year, told.year - CENTURY} if self.is_century_ambiguous else {told.year}
        return (day.month, day.day) == (told.month, told.day) and day.year in years


@dataclass(frozen=True, slots=True)
class Nip:
    birth_date: date
    sex: str
    variant: str
    """PNS or PPPK."""


def _require(is_good: bool, kind: str, reason: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not is_good:
        raise NumberInvalid(kind, reason)


def _require_digits(kind: str, value: str, length: int) -> None:
    # Never str.isdigit: it takes Arabic and superscript digits too.
    _require(bool(_DIGITS.fullmatch(value)), kind, "non_digit")
    _require(len(value) == length, kind, "length")


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_nik(value: str, today: date) -> Nik:
    """`PP KK CC DD MM YY SSSS`; a woman's day is 40 higher. Raises `NumberInvalid`.

    The century is the latest one that makes a date not in the future.
    """
    _require_digits("nik", value, NIK_DIGITS)
    _require(value[:2] in PROVINCES, "nik", "province")
    _require(value[2:4] != "00", "nik", "regency")
    _require(value[4:6] != "00", "nik", "district")
    raw_day, month = int(value[6:8]), int(value[8:10])
    is_woman = raw_day > WOMAN_DAY_ADDED
    day = raw_day - WOMAN_DAY_ADDED if is_woman else raw_day
    _require(1 <= day <= DAY_MAX, "nik", "day")
    _require(1 <= month <= MONTH_MAX, "nik", "month")
    births = _births(int(value[10:12]), month, day, today)
    _require(bool(births), "nik", "date")
    _require(value[12:] != "0000", "nik", "serial")
    return Nik(births[0], WOMAN if is_woman else MAN, value[:6], len(births) > 1)


def _births(two_digits: int, month: int, day: int, today: date) -> list[date]:
    """The dates it can mean, the latest first."""
    this_century = today.year // CENTURY * CENTURY
    years = (this_century + two_digits, this_century - CENTURY + two_digits)
    found = (_date(year, month, day) for year in years)
    return [one for one in found if one is not None and one <= today]


def read_nip(value: str, today: date) -> Nip:
    """PNS `YYYYMMDD YYYYMM S NNN`, PPPK `YYYYMMDD YYYY FF S NNN`, FF from 21 (first appointment).

    Raises `NumberInvalid`.
    """
    _require_digits("nip", value, NIP_DIGITS)
    birth = _date(int(value[:4]), int(value[4:6]), int(value[6:8]))
    _require(birth is not None and birth <= today, "nip", "birth_date")
    start_year, middle = int(value[8:12]), int(value[12:14])
    is_pppk = middle >= PPPK_FIRST_APPOINTMENT
    _require(is_pppk or 1 <= middle <= MONTH_MAX, "nip", "start_month")
    _require(value[14] in "12", "nip", "sex")
    _require(value[15:] != "000", "nip", "serial")
    assert birth is not None  # noqa: S101 - required above
    start_month = MONTH_MAX if is_pppk else middle
    _require(_age(birth, start_year, start_month) >= START_AGE_MIN_YEARS, "nip", "start_age")
    began = (start_year, 1 if is_pppk else start_month)
    _require(began <= (today.year, today.month), "nip", "start_future")
    _require(not is_pppk or start_year >= PPPK_FIRST_YEAR, "nip", "pppk_year")
    return Nip(birth, MAN if value[14] == "1" else WOMAN, PPPK if is_pppk else PNS)


def _age(birth: date, year: int, month: int) -> int:
    """Whole years at the end of that month."""
    return year - birth.year - (month < birth.month)


def require_same_person(nik: str, nip: str, today: date) -> None:
    """The two must tell one birth date and one sex. Raises `NumberInvalid`."""
    citizen, official = read_nik(nik, today), read_nip(nip, today)
    _require(citizen.sex == official.sex, "nik+nip", "sex_mismatch")
    _require(citizen.is_born_on(official.birth_date), "nik+nip", "birth_date_mismatch")


def npwp_variant(value: str, today: date) -> str:
    """`15_digit`, `16_digit_entity` (0 and the old fifteen) or `16_digit_nik` (PMK 112/2022).

    Raises `NumberInvalid`.
    """
    _require(bool(_DIGITS.fullmatch(value)), "npwp", "non_digit")
    _require(len(value) in {NPWP_OLD_DIGITS, NPWP_DIGITS}, "npwp", "length")
    if len(value) == NPWP_OLD_DIGITS:
        _require(_is_luhn(value[:9]), "npwp", "check_digit")
        return "15_digit"
    if value.startswith("0"):
        _require(_is_luhn(value[1:10]), "npwp", "check_digit")
        return "16_digit_entity"
    read_nik(value, today)
    return "16_digit_nik"


def _is_luhn(digits: str) -> bool:
    """The last digit checks those before it (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)
    return total % 10 == 0


def require_nib(value: str) -> None:
    """Thirteen digits by OSS; no check digit is public. Raises `NumberInvalid`."""
    _require_digits("nib", value, NIB_DIGITS)


def masked(value: str) -> str:
    """`1971**********01`: enough to tell two apart on a screen, too little to be one."""
    return value[:4] + "*" * (len(value) - 6) + value[-2:]
