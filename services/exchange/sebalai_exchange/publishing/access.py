"""Who may publish and read events, as pure functions."""

from sebalai_shared.caller import Caller

CALL = "bus.call"


def may_publish(caller: Caller, application: str | None) -> bool:
    """The application that described the type; others need an agreement with a PUBLISH rule."""
    return caller.application == application and caller.has_scope(CALL)


def may_trace(caller: Caller, publisher: str) -> bool:
    """Whether the caller sees who received an event: its publisher, or the operator."""
    return caller.is_operator or caller.application == publisher
