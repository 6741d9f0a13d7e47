"""Who may do what in administration, by the policies of `administration.cedar` (ADR 0020): reviewed
data, denied where none permits. A decision names the policy it comes from.

Owns no scope of a person's or a system's own data (`access.py` of each slice), and nothing on the
path of a call or a token: what those check are sets.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import cedarpy
from sebalai_shared.caller import Caller

from sebalai_identity.duties import SYSTEM

log = logging.getLogger(__name__)

Action = Literal[
    "see-clients", "ask-client", "decide-client", "issue-initial-token", "see-initial-tokens",
    "keep-outside-providers", "decide-outside-provider", "keep-roles", "grant-role", "decide-role",
]  # fmt: skip
DEFAULT = "nothing-permits-it"
BROKEN = "policy-cannot-be-evaluated"
_CALLER, _MATTER = {"type": "Caller", "id": "caller"}, {"type": "Matter", "id": "matter"}


@dataclass(frozen=True)
class Hand:
    """Who has a part in a matter already; `system_of`: whose system it was (`duties`)."""

    subject: str | None
    system_of: str | None = None


@dataclass(frozen=True)
class Decision:
    """`rule`: the @id of the policy that decided, DEFAULT or BROKEN."""

    is_allowed: bool
    rule: str


def decide(
    action: Action,
    caller: Caller,
    *,
    agency: str | None = None,
    hands: Sequence[Hand] = (),
    subject_of: str | None = None,
) -> Decision:
    """`agency`: whose matter it is; `subject_of`: the person it is about."""
    request = {
        "principal": 'Caller::"caller"',
        "action": f'Action::"{action}"',
        "resource": 'Matter::"matter"',
        "context": _context(hands, subject_of),
    }
    found = cedarpy.is_authorized(request, _policies(), _entities(caller, agency), _schema())
    return _read(found)


def _context(hands: Sequence[Hand], subject_of: str | None) -> dict[str, Any]:
    return {
        "hands": sorted({hand.subject for hand in hands if hand.subject is not None}),
        "offices": sorted({hand.system_of for hand in hands if hand.system_of is not None}),
    } | _known(subject_of=subject_of)


def _entities(caller: Caller, agency: str | None) -> list[dict[str, Any]]:
    principal = {
        "subject": caller.subject or "",
        "kind": SYSTEM if caller.kind == SYSTEM else "person",
        "scopes": sorted(caller.scopes),
    } | _known(agency=caller.agency)
    return [
        {"uid": _CALLER, "attrs": principal, "parents": []},
        {"uid": _MATTER, "attrs": _known(agency=agency), "parents": []},
    ]


def _known(**named: str | None) -> dict[str, str]:
    return {name: value for name, value in named.items() if value is not None}


def _read(found: cedarpy.AuthzResult) -> Decision:
    """A policy that cannot be evaluated is skipped by Cedar: a `forbid` would be lost with it."""
    said = found.diagnostics
    if said.errors:
        log.error("administration: %s", "; ".join(said.errors))
        return Decision(is_allowed=False, rule=BROKEN)
    names = said.id_annotations_by_reason
    rules = sorted(names.get(reason, reason) for reason in said.reasons)
    return Decision(found.allowed, rules[0] if rules else DEFAULT)


def _text(name: str) -> str:
    return (files("sebalai_identity") / name).read_text(encoding="utf-8")


@cache
def _policies() -> cedarpy.PolicySet:
    return cedarpy.PolicySet.from_str(_text("administration.cedar"))


@cache
def _schema() -> cedarpy.Schema:
    return cedarpy.Schema.from_str(_text("administration.cedarschema"))
