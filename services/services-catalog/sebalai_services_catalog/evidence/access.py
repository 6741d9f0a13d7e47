"""Who may give and see a consent; pure.

Source: consent is the data subject's own (UU 27/2022 art. 20 to 22), so nobody gives it for
another; the holder must be able to check it, and the agency that decides sees what was fetched.
"""

from sebalai_shared.caller import Caller

from sebalai_services_catalog.evidence.model import Consent


def is_giver(caller: Caller, row: Consent) -> bool:
    return caller.party is not None and caller.party == row.given_by


def may_see(caller: Caller, row: Consent) -> bool:
    sides = (row.holder, row.agency)
    return is_giver(caller, row) or caller.is_operator or caller.agency in sides
