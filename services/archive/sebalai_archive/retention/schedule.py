"""When a file's active and inactive time ends, as a pure function of its trigger and its rule.

Source: Peraturan ANRI on JRA; the clamp of 29 February to the 28th is ours. The trigger is an act
on the file (closed, contract ended, budget year over); without its date the clock does not run.
Legal holds, exceptions and marks stop a fate; the dates stay what they are. Acts and approvers are
those of PP 28/2012 in the text of classification 000.5.6: from ten years in all the head of ANRI.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal

Fate = Literal["musnah", "permanen", "dinilai_kembali"]
Stage = Literal["active", "inactive", "due"]
Act = Literal["none", "transfer", "destroy", "hand_over", "appraise"]
TriggerKind = Literal[
    "setelah_berkas_ditutup",
    "setelah_tidak_berlaku",
    "setelah_tahun_anggaran_berakhir",
    "setelah_pemeriksaan",
    "setelah_tindak_lanjut_selesai",
    "setelah_serah_terima",
    "setelah_barang_dihapuskan",
    "setelah_diperbaharui",
    "setelah_dikompilasi",
    "setelah_perjanjian_berakhir",
    "setelah_sk_ditetapkan",
    "setelah_diangkat",
]
Approver = Literal["anri_head", "governor", "archive_head"]

# Western Indonesia Time has no daylight saving; a civil date begins at midnight there.
WIB = timezone(timedelta(hours=7), "WIB")
YEARS_MAX = 200
ANRI_YEARS = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """Years in use, years kept after that, and what then happens."""

    active_years: int
    inactive_years: int
    final_disposition: Fate
    offset_months: int = 0
    exception: str | None = None

    @property
    def total_years(self) -> int:
        return self.active_years + self.inactive_years


@dataclass(frozen=True, slots=True)
class DueDates:
    """The first days on which a stage is over; both None while the clock is not running."""

    active_until: date | None
    inactive_until: date | None

    @property
    def is_running(self) -> bool:
        return self.active_until is not None


NOT_RUNNING = DueDates(None, None)


def due_dates(trigger: date | None, rule: Rule | None) -> DueDates:
    """Each date is computed from the trigger in one step, so that a 29 February clamps once."""
    if trigger is None or rule is None:
        return NOT_RUNNING
    return DueDates(
        months_after(trigger, rule.offset_months + 12 * rule.active_years),
        months_after(trigger, rule.offset_months + 12 * rule.total_years),
    )


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last. Raises `ValueError` past the calendar."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class SoFar:
    """What beside rule and trigger decides: holds, the panel's word on an exception, marks."""

    is_held: bool = False
    weighed: Fate | None = None
    is_marked: bool = False


UNTOUCHED = SoFar()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is next for a record, who must approve it, and why (in words for the list)."""

    dates: DueDates
    stage: Stage
    act: Act
    approver: Approver | None
    reasons: tuple[str, ...]


def outcome(
    trigger: date | None, rule: Rule | None, today: date, so_far: SoFar = UNTOUCHED
) -> Outcome:
    dates = due_dates(trigger, rule)
    now = stage(dates, today)
    if rule is None or trigger is None:
        reason = "no rule governs the code" if rule is None else "no trigger: the clock stands"
        return Outcome(dates, now, "none", None, (reason,))
    if so_far.is_held:
        return Outcome(dates, now, "none", None, ("a legal hold stops every fate",))
    act, reasons = _act(rule, now, so_far)
    approver = _approver(act, rule)
    if approver in {"anri_head", "governor"}:
        reasons += (f"{rule.total_years} years in all",)
    return Outcome(dates, now, act, approver, reasons)


def _act(rule: Rule, now: Stage, so_far: SoFar) -> tuple[Act, tuple[str, ...]]:
    if now == "active":
        return "none", ()
    if now == "inactive":
        is_long = rule.total_years >= ANRI_YEARS
        place = "province" if is_long else "agency"
        return "transfer", (f"to the record centre of the {place}",)
    fate = so_far.weighed or rule.final_disposition
    if fate == "permanen":
        return "hand_over", ()
    doubts = (rule.exception,) if rule.exception else ()
    if so_far.is_marked:
        doubts += ("vital and terjaga records are weighed before they go",)
    if fate == "dinilai_kembali" or (so_far.weighed is None and doubts):
        return "appraise", doubts
    return "destroy", ()


def _approver(act: Act, rule: Rule) -> Approver | None:
    if act == "hand_over":
        return "archive_head"
    if act != "destroy":
        return None
    return "anri_head" if rule.total_years >= ANRI_YEARS else "governor"


def stage(dates: DueDates, today: date) -> Stage:
    if dates.active_until is None or dates.inactive_until is None or today < dates.active_until:
        return "active"
    return "inactive" if today < dates.inactive_until else "due"


def civil_date(at: datetime) -> date:
    """The date on the wall in the province at that moment."""
    return at.astimezone(UTC).astimezone(WIB).date()
