"""What a draft lacks before it may be published; pure.

The law asks for 14 components (UU 25/2009 art. 21); CPSV-AP would be content with a name and an
authority. Each gap names the component and the field, so that a form can lead there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sebalai_services_catalog.services.standard import COMPONENTS, Charge, Fee, Standard

HEAD = ("name", "summary", "audiences", "channels")


@dataclass(frozen=True, slots=True)
class Gap:
    """`component` is 1 to 14, 0 for what identifies the service; `pointer` is RFC 6901."""

    component: int
    pointer: str
    why: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a standard may refer to: ids of the register of laws, codes of regions."""

    regulations: frozenset[str]
    regions: frozenset[str]


def gaps(standard: Standard, known: Known) -> list[Gap]:
    """Empty when the standard may be published."""
    found = [Gap(0, f"/{name}", "fill it in") for name in HEAD if not getattr(standard, name)]
    if not (standard.life_event or standard.business_event):
        found.append(Gap(0, "/life_event", "name a life event or a business event"))
    for number, name in enumerate(COMPONENTS, 1):
        value = getattr(standard, name)
        # An empty list of requirements is an answer (nothing is asked); of steps or laws it is not.
        if value is None or (value == [] and name != "requirements"):
            found.append(Gap(number, f"/{name}", f"component {number} of 14 is missing"))
    return [
        *found,
        *_wrong(standard, known.regulations),
        *_channels(standard),
        *_points(standard, known.regions),
    ]


def advice(standard: Standard) -> list[Gap]:
    """What is wanted but stops nothing."""
    wanted: list[Gap] = []
    if standard.decree is None:
        wanted.append(Gap(0, "/decree", "no decree (SK) of the standard is recorded"))
    if standard.name is not None and standard.name.en is None:
        wanted.append(Gap(0, "/name/en", "English is missing"))
    if standard.ral_code is None:
        wanted.append(Gap(0, "/ral_code", "no code of the service reference architecture"))
    return wanted


def _wrong(standard: Standard, known_regulations: frozenset[str]) -> Iterator[Gap]:
    if standard.fee is not None:
        yield from _fee(standard.fee, known_regulations)
    for place, regulation in enumerate(standard.legal_basis or []):
        if regulation not in known_regulations:
            yield Gap(7, f"/legal_basis/{place}", f"{regulation} is not in the register")
    basis = standard.complaints.appeal_basis if standard.complaints else None
    if basis is not None and basis not in known_regulations:
        yield Gap(6, "/complaints/appeal_basis", f"{basis} is not in the register")
    codes = [requirement.code for requirement in standard.requirements or []]
    for place, code in enumerate(codes):
        if code in codes[:place]:
            yield Gap(1, f"/requirements/{place}/code", f"{code} is used twice")
    for place, requirement in enumerate(standard.requirements or []):
        if requirement.source != "applicant" and requirement.evidence_type is None:
            why = "name the evidence type that is fetched"
            yield Gap(1, f"/requirements/{place}/evidence_type", why)


def _fee(fee: Fee, known_regulations: frozenset[str]) -> Iterator[Gap]:
    yield from _charge(fee, "/fee", known_regulations)
    for channel, charge in fee.channels.items():
        yield from _charge(charge, f"/fee/channels/{channel}", known_regulations)


def _charge(charge: Charge, pointer: str, known_regulations: frozenset[str]) -> Iterator[Gap]:
    if charge.kind == "fixed" and not charge.rupiah:
        why = "a fixed fee has an amount; nothing to pay is kind free"
        yield Gap(4, f"{pointer}/rupiah", why)
    if charge.kind == "formula" and charge.formula is None:
        yield Gap(4, f"{pointer}/formula", "say how the fee is computed")
    if charge.kind != "free" and charge.basis not in known_regulations:
        yield Gap(4, f"{pointer}/basis", "a fee needs a legal basis that is in the register")


def _channels(standard: Standard) -> Iterator[Gap]:
    """Time and fee of a channel that the service does not have would bind nobody."""
    parts = ((3, "duration", standard.duration), (4, "fee", standard.fee))
    for number, name, part in parts:
        for channel in part.channels if part else ():
            if channel not in standard.channels:
                why = f"the service has no channel {channel}"
                yield Gap(number, f"/{name}/channels/{channel}", why)


def _points(standard: Standard, known_regions: frozenset[str]) -> Iterator[Gap]:
    """Who comes to a counter must know where it is."""
    counters = [point for point in standard.points if "loket" in point.channels]
    if "loket" in standard.channels and not counters:
        yield Gap(0, "/points", "a counter is offered: name a service point with channel loket")
    codes = [point.code for point in standard.points]
    for place, point in enumerate(standard.points):
        if point.code in codes[:place]:
            yield Gap(0, f"/points/{place}/code", f"{point.code} is used twice")
        if point.region not in known_regions:
            yield Gap(0, f"/points/{place}/region", f"{point.region} is no region of the list")
        for channel in point.channels:
            if channel not in standard.channels:
                yield Gap(0, f"/points/{place}/channels", f"the service has no channel {channel}")
