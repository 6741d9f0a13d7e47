"""Who may register, suspend and see applications, as pure functions.

Registering hands out a name on the bus, so it is the platform operator's act (Perpres 95/2018
pasal 33: the service bus is run by one unit). An agency sees its own applications.
"""

from sebalai_shared.caller import Caller


def may_operate(caller: Caller) -> bool:
    return caller.is_operator
