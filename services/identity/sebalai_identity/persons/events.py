"""Facts about persons: the id and what happened. No name, no number, no reason."""

REGISTERED = "identity.person.registered.v1"
CHANGED = "identity.person.changed.v1"
DEACTIVATED = "identity.person.deactivated.v1"
REACTIVATED = "identity.person.reactivated.v1"
LOOKED_UP = "identity.person.looked-up"
COMPARED = "identity.person.compared"
"""Acts without a fact: who searched for somebody by NIK, or tried one, is in the audit trail."""
