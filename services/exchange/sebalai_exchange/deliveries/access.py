"""Who may know what of others' deliveries, as pure functions."""

from sebalai_shared.caller import Caller


def may_know_why(caller: Caller, subscriber: str) -> bool:
    """A reason tells of the subscriber's own address: for it and the operator alone."""
    return caller.is_operator or caller.application == subscriber
