"""r1 identifiers of applications and interfaces (wiring, section 3), and texts people typed.

Owns their syntax. Does not own which of them exist.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

SLUG = "[a-z0-9-]{1,40}"
# <owner>.<noun>[.<more>].<past verb>.v<major>; a word of it may hold a hyphen, as slugs do.
EVENT_TYPE_WORDS = r"[a-z0-9_-]{1,40}(\.[a-z0-9_-]{1,32})"
EVENT_TYPE_PATTERN = rf"^{EVENT_TYPE_WORDS}{{2,5}}\.v[1-9][0-9]{{0,2}}$"
EVENT_TYPE_LENGTH_MAX = 200
APPLICATION_PATTERN = rf"^[A-Z]{{2}}-[A-Z]{{2}}/(GOV|COM|NGO|PUB)/{SLUG}/{SLUG}$"
INTERFACE_PATTERN = rf"^[A-Z]{{2}}-[A-Z]{{2}}/(GOV|COM|NGO|PUB)/{SLUG}/{SLUG}/{SLUG}$"
GROUP_PATTERN = rf"^[A-Z]{{2}}-[A-Z]{{2}}/(GOV|COM|NGO|PUB)/{SLUG}/{SLUG}/groups/{SLUG}$"
CONSUMER_PATTERN = (
    rf"^[A-Z]{{2}}-[A-Z]{{2}}/(GOV|COM|NGO|PUB)/{SLUG}/{SLUG}(/groups/{SLUG})?$"  # either of both
)
NAME_LENGTH_MAX = 190
LINE_LENGTH_MAX = 300
NIK_LENGTH = 16

_LONG_NUMBER = re.compile(rf"\d{{{NIK_LENGTH},}}")


def _without_nik(text: str) -> str:
    """Agreements travel into calls, events and the ledger, where a NIK must never stand."""
    if _LONG_NUMBER.search(text):
        raise ValueError("must not hold a NIK or another number of 16 digits")
    return text


ApplicationName = Annotated[
    str, StringConstraints(pattern=APPLICATION_PATTERN, max_length=NAME_LENGTH_MAX)
]
InterfaceName = Annotated[
    str, StringConstraints(pattern=INTERFACE_PATTERN, max_length=NAME_LENGTH_MAX)
]
GroupName = Annotated[str, StringConstraints(pattern=GROUP_PATTERN, max_length=NAME_LENGTH_MAX)]
ConsumerName = Annotated[
    str, StringConstraints(pattern=CONSUMER_PATTERN, max_length=NAME_LENGTH_MAX)
]
EventType = Annotated[
    str, StringConstraints(pattern=EVENT_TYPE_PATTERN, max_length=EVENT_TYPE_LENGTH_MAX)
]
Slug = Annotated[str, StringConstraints(pattern=rf"^{SLUG}$")]
CredentialId = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$"), AfterValidator(_without_nik)
]
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=3,
        max_length=LINE_LENGTH_MAX,
        pattern=r"^[^\x00-\x1f\x7f]+$",
    ),
    AfterValidator(_without_nik),
]


def provider_of(interface: str) -> str:
    """The application an interface belongs to."""
    return interface.rpartition("/")[0]


def is_group(consumer: str) -> bool:
    return "/groups/" in consumer


def speaker_of(consumer: str) -> str:
    """The application that acts for a consumer: itself, or the owner of the group."""
    return consumer.partition("/groups/")[0]


def agency_of(application: str) -> str:
    return application.split("/")[2]
