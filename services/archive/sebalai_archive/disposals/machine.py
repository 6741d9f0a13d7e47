"""The steps of a disposal as a pure machine: which step comes next, whose it is, what it must show.

Source: classification text 000.5.6 (pemindahan, pemusnahan, penyerahan). A jump does not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["transfer", "destruction", "handover"]
Part = Literal["proposer", "reviewer", "approver", "executor"]
StepName = Literal["appraise", "request", "approve", "decree", "execute", "minute", "report"]
State = Literal[
    "proposed",
    "appraised",
    "requested",
    "approved",
    "decreed",
    "executed",
    "minuted",
    "reported",
    "withdrawn",
]
Slot = Literal[
    "sk_panitia",
    "daftar_usul",
    "surat_pertimbangan",
    "nota_dinas",
    "persetujuan",
    "pernyataan_keaslian",
    "sk_penetapan",
    "berita_acara",
    "laporan",
]


@dataclass(frozen=True, slots=True)
class Step:
    """One act of one person; `slots` are the records it must name as evidence."""

    name: StepName
    before: State
    after: State
    part: Part
    slots: frozenset[Slot] = frozenset()


def _step(name: StepName, move: tuple[State, State], part: Part, *slots: Slot) -> Step:
    return Step(name, move[0], move[1], part, frozenset(slots))


_PANEL: tuple[Slot, ...] = ("sk_panitia", "daftar_usul", "surat_pertimbangan")

MACHINES: Mapping[Kind, tuple[Step, ...]] = {
    "transfer": (
        _step("appraise", ("proposed", "appraised"), "reviewer", "daftar_usul"),
        _step("execute", ("appraised", "executed"), "executor"),
        _step("minute", ("executed", "minuted"), "executor", "berita_acara"),
    ),
    "destruction": (
        _step("appraise", ("proposed", "appraised"), "reviewer", *_PANEL),
        _step("request", ("appraised", "requested"), "proposer", "nota_dinas"),
        _step("approve", ("requested", "approved"), "approver", "persetujuan"),
        _step("decree", ("approved", "decreed"), "approver", "sk_penetapan"),
        _step("execute", ("decreed", "executed"), "executor"),
        _step("minute", ("executed", "minuted"), "executor", "berita_acara"),
        _step("report", ("minuted", "reported"), "proposer", "laporan"),
    ),
    "handover": (
        _step("appraise", ("proposed", "appraised"), "reviewer", *_PANEL),
        _step(
            "approve", ("appraised", "approved"), "approver", "persetujuan", "pernyataan_keaslian"
        ),
        _step("decree", ("approved", "decreed"), "approver", "sk_penetapan"),
        _step("execute", ("decreed", "executed"), "executor"),
        _step("minute", ("executed", "minuted"), "executor", "berita_acara"),
    ),
}


def next_step(kind: Kind, state: State) -> Step | None:
    """The only step that may come now; None at the end and after a withdrawal."""
    return next((step for step in MACHINES[kind] if step.before == state), None)


def may_withdraw(kind: Kind, state: State) -> bool:
    """Until it is executed, a disposal may be given up."""
    step = next_step(kind, state)
    return step is not None and state not in {"executed", "minuted"}
