"""Maturity indices as weighted means: SPBE (PermenPANRB 59/2020) and Pemdi (8/2026); pure.

Index = Σ(weight × level) ÷ Σ weight, over all, an aspect or a domain. Rounded half up to two
decimals, then classified: 1.50 of Pemdi is still Kurang, 1.51 Cukup; 2.60 of SPBE is Baik.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

CENT = Decimal("0.01")
LEVEL_MAX = 5


@dataclass(frozen=True, slots=True)
class Weighed:
    number: int
    aspect: str
    domain: str | None
    weight: Fraction


@dataclass(frozen=True, slots=True)
class Band:
    """`upper` belongs to the band when `upper_in`: scales differ."""

    lower: Decimal
    upper: Decimal
    grade: str
    upper_in: bool


@dataclass(frozen=True, slots=True)
class Gain:
    """What raising one indicator by one level gives."""

    number: int
    index: Fraction
    grade: str


def index_of(indicators: Sequence[Weighed], levels: Mapping[int, int]) -> Fraction:
    """Raises: KeyError for an indicator without a level."""
    total = sum((one.weight for one in indicators), Fraction())
    return sum((one.weight * levels[one.number] for one in indicators), Fraction()) / total


def parts(indicators: Sequence[Weighed], levels: Mapping[int, int], by: str) -> dict[str, Fraction]:
    """The index of each `aspect` or `domain`."""
    groups: dict[str, list[Weighed]] = {}
    for one in indicators:
        name = one.aspect if by == "aspect" else one.domain
        if name is not None:
            groups.setdefault(name, []).append(one)
    return {name: index_of(group, levels) for name, group in groups.items()}


def rounded(index: Fraction) -> Decimal:
    exact = Decimal(index.numerator) / Decimal(index.denominator)
    return exact.quantize(CENT, ROUND_HALF_UP)


def grade_of(index: Fraction, bands: Sequence[Band]) -> str:
    """Raises: ValueError when the figure lies in no band."""
    shown = rounded(index)
    for band in bands:
        if band.lower <= shown < band.upper or (band.upper_in and shown == band.upper):
            return band.grade
    raise ValueError(f"{shown} lies in no band")


def gains(
    indicators: Sequence[Weighed], levels: Mapping[int, int], bands: Sequence[Band]
) -> list[Gain]:
    """For every indicator below the top, the index one level higher; the largest gain first."""
    found = list[Gain]()
    for one in indicators:
        level = levels[one.number]
        if level < LEVEL_MAX:
            index = index_of(indicators, {**levels, one.number: level + 1})
            found.append(Gain(one.number, index, grade_of(index, bands)))
    return sorted(found, key=lambda gain: (-gain.index, gain.number))
