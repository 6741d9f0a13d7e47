"""Who may read and move a complaint; pure.

Source: PermenPANRB 62/2018: the coordinating administrator (Diskominfo here, a proposal) verifies
and forwards, the agency answers, the reporter may answer back. An anonymous reporter is known to
nobody and answers with the code given at filing.
"""

import hashlib
import hmac

from sebalai_shared.caller import Caller

from sebalai_services_catalog.complaints.machine import Role
from sebalai_services_catalog.complaints.model import Complaint

WRITE = "catalog.write"
DESK = "diskominfo"


def is_desk(caller: Caller) -> bool:
    return caller.is_operator or (caller.agency == DESK and caller.has_scope(WRITE))


def is_agency(caller: Caller, row: Complaint) -> bool:
    """The agency it was forwarded to; before that only the desk knows whom it is about."""
    is_forwarded = row.agency is not None and row.forwarded_at is not None
    return is_forwarded and caller.agency == row.agency and caller.has_scope(WRITE)


def is_reporter(caller: Caller, row: Complaint, code: str | None) -> bool:
    if row.reporter is not None and caller.party == row.reporter:
        return True
    return code is not None and hmac.compare_digest(hashed(code), row.reply_code_sha256)


def hashed(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def may_read(caller: Caller, row: Complaint, code: str | None) -> bool:
    return is_desk(caller) or is_agency(caller, row) or is_reporter(caller, row, code)


def may_take(caller: Caller, row: Complaint, role: Role, code: str | None) -> bool:
    if role == "desk":
        return is_desk(caller)
    if role == "agency":
        return is_agency(caller, row) or is_desk(caller)
    return role == "reporter" and is_reporter(caller, row, code)
