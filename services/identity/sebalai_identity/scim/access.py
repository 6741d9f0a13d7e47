"""Who may provision, as pure functions: an agency's HR system its own agency's users and groups."""

import re

from sebalai_shared.caller import Caller

PROVISION = "identity.scim"
# As long as a NIK (16), a NIP (18): never a name, because names stand in filters and logs.
_NUMBER = re.compile(r"\d{16}|\d{18}")


def may_provision(caller: Caller) -> bool:
    return caller.agency is not None and caller.has_scope(PROVISION)


def is_number_of_person(name: str) -> bool:
    return bool(_NUMBER.fullmatch(re.sub(r"[\s.-]", "", name)))
