"""The service standard (standar pelayanan): the 14 components of UU 25/2009 article 21 as data.

Split in delivery (1 to 6, published to everybody) and manufacturing (7 to 14) by PermenPANRB
15/2014. One shape for files, drafts and published versions; a draft may leave anything out, and
`gaps` tells what is missing before it can be published. Time and fee hang on a channel where they
differ (as in CPSV-AP 3.2); lengths are those of the Finnish PTV, short enough for a telephone.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field, StringConstraints

from sebalai_services_catalog.services.points import POINTS_MAX, ServicePoint
from sebalai_services_catalog.services.shapes import (
    ITEMS_MAX,
    AgencySlug,
    Channel,
    Long,
    Name,
    Note,
    Short,
    Slug,
    Strict,
    Summary,
    Text,
)

RUPIAH_MAX = 10**12
UNITS_MAX = 1_000

Audience = Literal["instansi_pemerintah", "asn", "pelaku_usaha", "masyarakat", "pihak_lain"]
RalCode = Annotated[str, StringConstraints(pattern=r"^RAL(\.\d{2}){1,3}$")]
ArchiveCode = Annotated[str, StringConstraints(pattern=r"^\d{3}(\.\d{1,3}){0,4}$")]


class Requirement(Strict):
    """What the applicant must have. `code` is the field that a return of the file marks.

    `source` says who holds it: a requirement held by the platform or another agency with an
    `evidence_type` is fetched when the applicant asks for it (once only); uploading stays possible.
    `condition` says in words when it applies; without one it always does.
    """

    code: Slug
    name: Text
    kind: Literal["document", "data", "presence", "condition"]
    source: Literal["applicant", "platform", "agency"] = "applicant"
    mandatory: bool = True
    condition: Note | None = None
    evidence_type: Slug | None = None
    channels: list[Channel] = Field(default=[], max_length=ITEMS_MAX)


class Step(Strict):
    """One step, in the order listed. `role` names whose task it is; `agency` where not our own."""

    role: Literal["applicant", "front_office", "officer", "signer", "other_agency"]
    what: Text
    channel: Channel | None = None
    agency: AgencySlug | None = None
    code: Slug | None = None


class Term(Strict):
    value: Annotated[int, Field(ge=1, le=UNITS_MAX)]
    unit: Literal["minutes", "hours", "days", "working_days"]


class Duration(Term):
    """Component 3. `starts` is when the promise begins to run."""

    starts: Literal["submitted", "verified"] = "submitted"
    channels: dict[Channel, Term] = Field(default={}, max_length=5)


class Charge(Strict):
    """Free is a kind of its own ("Gratis"), never an empty field."""

    kind: Literal["free", "fixed", "formula"]
    rupiah: Annotated[int, Field(ge=0, le=RUPIAH_MAX)] | None = None
    formula: Note | None = None
    basis: Slug | None = None


class Fee(Charge):
    """Component 4; `channels` where filing that way costs something else."""

    methods: list[Literal["qris", "virtual_account", "bank", "tunai"]] = Field(
        default=[], max_length=4
    )
    channels: dict[Channel, Charge] = Field(default={}, max_length=5)

    def on(self, channel: str) -> Charge:
        """What filing by the channel costs."""
        return next((one for kind, one in self.channels.items() if kind == channel), self)


class Product(Strict):
    """Component 5. `validity_months` null: no end."""

    name: Text
    document_type: Slug
    signer: Short
    validity_months: Annotated[int, Field(ge=1, le=1_200)] | None = None
    template: Slug | None = None
    archive_code: ArchiveCode | None = None


class Complaints(Strict):
    """Component 6, with the way of appeal (keberatan, banding) and its days."""

    channels: Annotated[list[Note], Field(min_length=1, max_length=ITEMS_MAX)]
    appeal_to: Short
    appeal_working_days: Annotated[int, Field(ge=1, le=UNITS_MAX)]
    appeal_basis: Slug


class Facilities(Strict):
    """Component 8; `accessible` lists what serves people with disabilities."""

    text: Long
    accessible: list[Short] = Field(default=[], max_length=ITEMS_MAX)


class Evaluation(Strict):
    """Component 14."""

    text: Long
    every_months: Annotated[int, Field(ge=1, le=36)]


class Decree(Strict):
    """The SK that sets the standard."""

    number: Short
    signed_on: date


class Handover(Strict):
    """Not ours: who answers for it (a kabupaten or kota by Kemendagri code, or another body)."""

    to: Short
    region: Annotated[str, StringConstraints(pattern=r"^\d{2}(\.\d{2}){0,2}$")] | None = None
    url: AnyHttpUrl | None = None
    when: Text


class Standard(Strict):
    """Everything about one service; component numbers as in the annex of PermenPANRB 15/2014."""

    name: Name | None = None
    summary: Summary | None = None
    audiences: list[Audience] = Field(default=[], max_length=5)
    life_event: Slug | None = None
    business_event: Slug | None = None
    channels: list[Channel] = Field(default=[], max_length=5)
    ral_code: RalCode | None = None
    keywords: list[Short] = Field(default=[], max_length=ITEMS_MAX)
    related: list[Slug] = Field(default=[], max_length=ITEMS_MAX)
    not_for: list[Text] = Field(default=[], max_length=ITEMS_MAX)
    handover: list[Handover] = Field(default=[], max_length=ITEMS_MAX)
    contact: Note | None = None
    points: list[ServicePoint] = Field(default=[], max_length=POINTS_MAX)
    authentication_level: Annotated[int, Field(ge=0, le=3)] = 1
    on_breach: Literal["escalate", "deemed_granted"] = "escalate"
    decree: Decree | None = None
    review_by: date | None = None
    # 1 to 6: delivery
    requirements: list[Requirement] | None = Field(default=None, max_length=ITEMS_MAX)
    procedure: list[Step] | None = Field(default=None, max_length=ITEMS_MAX)
    duration: Duration | None = None
    fee: Fee | None = None
    product: Product | None = None
    complaints: Complaints | None = None
    # 7 to 14: manufacturing
    legal_basis: list[Slug] | None = Field(default=None, max_length=ITEMS_MAX)
    facilities: Facilities | None = None
    competence: Long | None = None
    internal_control: Long | None = None
    staff_count: Annotated[int, Field(ge=1, le=100_000)] | None = None
    guarantee: Long | None = None
    safety: Long | None = None
    evaluation: Evaluation | None = None


COMPONENTS = (
    "requirements",
    "procedure",
    "duration",
    "fee",
    "product",
    "complaints",
    "legal_basis",
    "facilities",
    "competence",
    "internal_control",
    "staff_count",
    "guarantee",
    "safety",
    "evaluation",
)
"""In the annex's order: component n is COMPONENTS[n - 1]."""


def inherit(template: Standard, own: Standard) -> Standard:
    """The national template with what the service says itself in its place, field by field."""
    filled = own.model_dump(exclude_unset=True)
    return Standard.model_validate(template.model_dump() | filled)
