"""When a failed delivery to a webhook is tried again, and until when: the bus's own schedule, or
one that the subscriber gave. Pure.
"""

from dataclasses import dataclass
from datetime import timedelta

MINUTE, HOUR = 60, 3_600


@dataclass(frozen=True, slots=True)
class Retries:
    """`pauses` in seconds, one after each failed try, of which the last repeats; what was not taken
    `days` after its first try is set aside, and an address that took nothing for so long is left.
    """

    pauses: tuple[int, ...]
    days: int

    @property
    def life(self) -> timedelta:
        return timedelta(days=self.days)

    def after(self, attempts: int) -> int:
        """The pause after so many tries, from 1 on."""
        return self.pauses[min(max(attempts, 1), len(self.pauses)) - 1]


OWN = Retries(
    pauses=(
        5, 30, 5 * MINUTE, 30 * MINUTE,
        2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
    ),
    days=3,
)  # fmt: skip
