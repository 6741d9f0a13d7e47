"""Who may write, review and publish a service standard; pure.

Source: the standard is set by the head of the unit that gives the service, after it was drawn up
and heard (UU 25/2009 art. 20; PermenPANRB 15/2014). That the one who publishes is not the one who
wrote it is separation of duties, a rule of ours.
"""

from sebalai_shared.caller import Caller

WRITE = "catalog.write"
DECIDE = "catalog.decide"


def may_write(caller: Caller, agency: str) -> bool:
    return _may(caller, agency, WRITE) or may_decide(caller, agency)


def may_decide(caller: Caller, agency: str) -> bool:
    return _may(caller, agency, DECIDE)


def may_publish(caller: Caller, agency: str, author: str) -> bool:
    """Not even the operator publishes what it wrote itself."""
    return may_decide(caller, agency) and caller.subject != author


def _may(caller: Caller, agency: str, scope: str) -> bool:
    return caller.is_operator or (caller.agency == agency and caller.has_scope(scope))
