"""Who may subscribe, and who may hear of what, as pure functions."""

from sebalai_shared.caller import Caller

CALL = "bus.call"


def is_subscriber(caller: Caller, subscriber: str) -> bool:
    return caller.application == subscriber and caller.has_scope(CALL)


def may_manage(caller: Caller, subscriber: str) -> bool:
    return is_subscriber(caller, subscriber) or caller.is_operator


def hears_all(access: str, *, is_operator: bool, is_owner: bool, has_agreement: bool) -> bool:
    """Whether every event of a type may reach a subscriber; see TopicWanted for `access`."""
    if access == "open" or is_operator or is_owner:
        return True
    return access == "agreement" and has_agreement
