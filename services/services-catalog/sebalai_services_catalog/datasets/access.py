"""Who may write, check, publish and withdraw a dataset's metadata; pure.

Source: who produces data describes them, the walidata checks and spreads them (Perpres 39/2019);
in the province the walidata is Diskominfo. That the one who publishes did not write or send it is
separation of duties, a rule of ours.
"""

from collections.abc import Collection

from sebalai_shared.caller import Caller

WRITE = "catalog.write"
DECIDE = "catalog.decide"
WALIDATA = "diskominfo"


def may_write(caller: Caller, agency: str) -> bool:
    return _may(caller, agency, WRITE) or _may(caller, agency, DECIDE)


def may_read_draft(caller: Caller, agency: str) -> bool:
    return may_write(caller, agency) or may_review(caller)


def may_review(caller: Caller) -> bool:
    return _may(caller, WALIDATA, DECIDE)


def may_publish(caller: Caller, hands: Collection[str | None]) -> bool:
    """`hands` are those who wrote and sent it: not even the operator publishes its own."""
    return may_review(caller) and caller.subject not in hands


def may_withdraw(caller: Caller, agency: str) -> bool:
    return may_review(caller) or _may(caller, agency, DECIDE)


def _may(caller: Caller, agency: str, scope: str) -> bool:
    return caller.is_operator or (caller.agency == agency and caller.has_scope(scope))
