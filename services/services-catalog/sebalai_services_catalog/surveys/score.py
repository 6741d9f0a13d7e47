"""The satisfaction score (SKM) of PermenPANRB 14/2017, exact; pure.

NRR of an element is the sum of its answers over the respondents; the index is their mean, because
each of nine elements weighs 1/9; SKM is the index times 25. Rounded half up to two decimals, then
classified. The weight 1/9 printed as 0.11 caps the score at 99 and moves services to a worse
grade: that figure is offered only under its own name, for comparison.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

SCALE = 25
ROUNDED_WEIGHT = Fraction(11, 100)
CENT = Decimal("0.01")
CHI_SQUARE = Fraction(3841, 1000)
"""χ² for one degree of freedom at 95 percent, as Krejcie and Morgan (1970) print it."""
MARGIN_SQUARE = Fraction(25, 10_000)

Band = tuple[Decimal, Decimal, str]
"""Lower and upper, both in the band, and the grade."""


@dataclass(frozen=True, slots=True)
class Score:
    """`value` exact, `rounded` to two decimals; `lowest` are the elements to work on first."""

    respondents: int
    elements: Mapping[str, Fraction]
    value: Fraction
    rounded: Decimal
    grade: str
    with_rounded_weights: Decimal
    lowest: tuple[str, ...]


def score(sums: Mapping[str, int], respondents: int, bands: Sequence[Band]) -> Score | None:
    """`sums`: of the answers, by element. None without respondents: no score is not 0."""
    if respondents == 0:
        return None
    elements = {element: Fraction(total, respondents) for element, total in sums.items()}
    total = sum(elements.values(), Fraction())
    value = total / len(elements) * SCALE
    rounded = half_up(value)
    low = min(elements.values())
    return Score(
        respondents=respondents,
        elements=elements,
        value=value,
        rounded=rounded,
        grade=grade_of(rounded, bands),
        with_rounded_weights=half_up(total * ROUNDED_WEIGHT * SCALE),
        lowest=tuple(element for element, nrr in elements.items() if nrr == low),
    )


def half_up(value: Fraction, step: Decimal = CENT) -> Decimal:
    """Exact, without a float on the way. `value` is not negative."""
    steps = value / Fraction(step)
    whole = (2 * steps.numerator + steps.denominator) // (2 * steps.denominator)
    return (Decimal(whole) * step).quantize(step, ROUND_HALF_UP)


def grade_of(rounded: Decimal, bands: Sequence[Band]) -> str:
    """Raises: ValueError when the figure lies in no band."""
    for lower, upper, grade in bands:
        if lower <= rounded <= upper:
            return grade
    raise ValueError(f"{rounded} lies in no band")


def sample_size(population: int) -> int:
    """How many respondents make the score speak for `population` (Krejcie and Morgan, rounded)."""
    if population <= 0:
        return 0
    quarter = CHI_SQUARE / 4
    size = quarter * population / (MARGIN_SQUARE * (population - 1) + quarter)
    return int(half_up(size, Decimal(1)))
