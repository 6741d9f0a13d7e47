"""Who may see a request and take a step in it; pure.

Source: the applicant owns the request; the agency of the service answers for it (UU 25/2009 art. 34
on the conduct of officers); an appeal goes to the superior (UU 30/2014 art. 78), so not to the one
who refused. Roles come from scopes: `catalog.write` prepares, `catalog.decide` also decides.
"""

from collections.abc import Collection

from sebalai_shared.caller import Caller

from sebalai_services_catalog.requests.machine import Role
from sebalai_services_catalog.requests.model import ServiceRequest

WRITE = "catalog.write"
DECIDE = "catalog.decide"


def is_officer_of(caller: Caller, agency: str) -> bool:
    if caller.is_operator:
        return True
    return caller.agency == agency and (caller.has_scope(WRITE) or caller.has_scope(DECIDE))


def may_decide_for(caller: Caller, agency: str) -> bool:
    return caller.is_operator or (caller.agency == agency and caller.has_scope(DECIDE))


def is_applicant(caller: Caller, row: ServiceRequest) -> bool:
    """The one who filed it; for a request filed at a counter, the officers of that counter. Of a
    business whoever acts for it, in what their mandate covers.
    """
    if row.assisted:
        return is_officer_of(caller, row.agency)
    is_theirs = caller.party is not None and caller.party == row.applicant
    return is_theirs and caller.covers(row.service)


def may_see(caller: Caller, row: ServiceRequest, agencies: Collection[str]) -> bool:
    """`agencies` have tasks in it: a case that spans agencies is one case for all of them."""
    if is_applicant(caller, row) or is_officer_of(caller, row.agency):
        return True
    return any(is_officer_of(caller, agency) for agency in agencies)


def may_take(caller: Caller, row: ServiceRequest, role: Role, task_agency: str | None) -> bool:
    """`task_agency` where the step belongs to a task of another agency."""
    if role == "applicant":
        return is_applicant(caller, row)
    if role == "platform":
        return False
    if role == "officer":
        return is_officer_of(caller, task_agency or row.agency)
    if role == "front_office":
        return is_officer_of(caller, row.agency)
    if role == "superior":
        return may_decide_for(caller, row.agency) and caller.subject != row.refused_by
    return may_decide_for(caller, row.agency)
