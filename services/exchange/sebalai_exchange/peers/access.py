"""Who may name peers: the operator of each instance, for their own (mutual opt-in)."""

from sebalai_shared.caller import Caller


def may_name_peers(caller: Caller) -> bool:
    return caller.is_operator
