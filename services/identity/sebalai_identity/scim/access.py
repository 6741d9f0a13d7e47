"""Who may provision, as pure functions: an agency's HR system its own agency's users and groups."""

import re

from sebalai_shared.caller import Caller

PROVISION = "identity.scim"
# As long as a NIK (16) or NIP (18), alone or within: names stand in filters, and so in addresses.
# Between hexadecimal digits it is part of an identifier that a machine made.
_NUMBER = re.compile(r"(?<![0-9A-Fa-f])\d([\s.-]?\d){15}(([\s.-]?\d){2})?(?![0-9A-Fa-f])", re.ASCII)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def may_provision(caller: Caller) -> bool:
    return caller.agency is not None and caller.has_scope(PROVISION)


def holds_number_of_person(name: str) -> bool:
    return not _UUID.fullmatch(name) and bool(_NUMBER.search(name))
