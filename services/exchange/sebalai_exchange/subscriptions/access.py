"""Who may subscribe, and who may hear of what, as pure functions."""

from sebalai_shared.caller import Caller

CALL = "bus.call"
# As long as the stream has an event (`shared.broker`).
BROKER_DAYS = 30


def is_subscriber(caller: Caller, subscriber: str) -> bool:
    return caller.application == subscriber and caller.has_scope(CALL)


def may_manage(caller: Caller, subscriber: str) -> bool:
    return is_subscriber(caller, subscriber) or caller.is_operator


def may_hear(kind: str, access: str, *, hears_all: bool, days: int) -> bool:
    """Whether anything of a type is for a subscription of that kind that may hear `days` back. The
    broker sees neither who is named in an event nor who hears it for how long: it gives out types
    that are heard whole, as far back as it keeps them.
    """
    if kind == "nats":
        return hears_all and days >= BROKER_DAYS
    return hears_all or access == "party"


def hears_all(access: str, *, is_operator: bool, is_owner: bool, has_agreement: bool) -> bool:
    """Whether every event of a type may reach a subscriber; see TopicWanted for `access`."""
    if access == "open" or is_operator or is_owner:
        return True
    return access == "agreement" and has_agreement
