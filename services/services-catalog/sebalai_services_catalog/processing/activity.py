"""What one service does with personal data, made of its standard and of agreements; pure.

UU 27/2022 article 31 has the controller record its processing. Nothing is written twice: the
standard says what is asked, who handles it and on what law, an evidence type what is fetched, an
agreement which categories pass. Government services rest on public duty (art. 20 (2)); what is
fetched from another agency on the consent of who filed, for that one request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sebalai_services_catalog.evidence.actions import EvidenceType
from sebalai_services_catalog.processing.model import KnownAgreement
from sebalai_services_catalog.services.actions import Published, Requirement, Standard

Basis = Literal["public_duty", "consent"]
SERVING, PAYING = "pelayanan", "pembayaran"


@dataclass(frozen=True, slots=True)
class Purpose:
    """`laws` are ids of the register of regulations."""

    code: str
    basis: Basis
    laws: list[str]


@dataclass(frozen=True, slots=True)
class Data:
    """Something asked of the applicant. `holder` gives it where it is fetched; `categories` (UU
    27/2022 art. 4) as the agreement it passes under names them, empty where nobody said.
    """

    code: str
    name: str
    source: str
    evidence_type: str | None
    holder: str | None
    categories: list[str]


@dataclass(frozen=True, slots=True)
class Recipient:
    agency: str
    why: Literal["step", "evidence"]


@dataclass(frozen=True, slots=True)
class Activity:
    """`subjects` are audiences; `archive_code` says by the archive's schedule how long it is kept;
    `lacking` names what the standard leaves open.
    """

    purposes: list[Purpose]
    subjects: list[str]
    data: list[Data]
    recipients: list[Recipient]
    archive_code: str | None
    lacking: list[str]


@dataclass(frozen=True, slots=True)
class Known:
    """Evidence types by code; agreements in force."""

    types: Mapping[str, EvidenceType]
    agreements: Sequence[KnownAgreement]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One service and what it does with personal data."""

    row: Published
    activity: Activity


def activity_of(agency: str, standard: Standard, known: Known) -> Activity:
    """`agency` is the controller."""
    asked = [one for one in standard.requirements or [] if one.kind in ("document", "data")]
    fetched = _fetched(asked, known)
    code = standard.product.archive_code if standard.product else None
    laws = list(standard.legal_basis or [])
    lacking = [
        name for name, is_there in (("legal_basis", laws), ("retention", code)) if not is_there
    ]
    return Activity(
        purposes=_purposes(standard, fetched),
        subjects=list(standard.audiences),
        data=[_data(one, known) for one in asked],
        recipients=_recipients(agency, standard, fetched),
        archive_code=code,
        lacking=lacking,
    )


def _fetched(asked: Sequence[Requirement], known: Known) -> list[EvidenceType]:
    """What may be had over the bus, each once."""
    codes = dict.fromkeys(one.evidence_type for one in asked if one.evidence_type)
    types = [known.types[code] for code in codes if code in known.types]
    return [one for one in types if one.interface is not None]


def _purposes(standard: Standard, fetched: Sequence[EvidenceType]) -> list[Purpose]:
    laws = list(standard.legal_basis or [])
    found = [Purpose(SERVING, "public_duty", laws)]
    fee = standard.fee
    charges = [one for one in ([fee, *fee.channels.values()] if fee else []) if one.kind != "free"]
    if charges:
        basis = list(dict.fromkeys(one.basis for one in charges if one.basis))
        found.append(Purpose(PAYING, "public_duty", basis))
    codes = dict.fromkeys(one.purpose for one in fetched if one.purpose)
    return [*found, *(Purpose(code, "consent", laws) for code in codes)]


def _data(one: Requirement, known: Known) -> Data:
    kind = known.types.get(one.evidence_type) if one.evidence_type else None
    return Data(
        code=one.code,
        name=one.name.id,
        source=one.source,
        evidence_type=one.evidence_type,
        holder=kind.holder if kind else None,
        categories=_categories(kind, known.agreements) if kind else [],
    )


def _categories(kind: EvidenceType, agreements: Sequence[KnownAgreement]) -> list[str]:
    """Of the agreements by which this evidence may be fetched for its purpose."""
    if kind.interface is None:
        return []
    return sorted(
        {
            category
            for one in agreements
            if one.interface.endswith(f"/{kind.interface}") and kind.purpose in one.purposes
            for category in one.data_categories
        }
    )


def _recipients(
    agency: str, standard: Standard, fetched: Sequence[EvidenceType]
) -> list[Recipient]:
    """Other agencies that see something of a request, each once for each reason."""
    steps = [step.agency for step in standard.procedure or [] if step.agency]
    holders = [one.holder for one in fetched]
    pairs = [(one, "step") for one in steps] + [(one, "evidence") for one in holders]
    return [Recipient(one, why) for one, why in dict.fromkeys(pairs) if one != agency]  # type: ignore[arg-type]
