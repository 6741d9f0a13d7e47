"""Facts about applications."""

from datetime import datetime

from sebalai_shared.events import Event

from sebalai_identity.applications.model import Application

REGISTERED = "identity.application.registered.v1"
CHANGED = "identity.application.changed.v1"
SUSPENDED = "identity.application.suspended.v1"
RESUMED = "identity.application.resumed.v1"
SOURCE = "urn:sebalai:identity"


def _fact(kind: str, application: Application, at: datetime) -> Event:
    data = {
        "application_id": str(application.id),
        "application": application.identifier,
        "agency": application.agency,
        "client_id": str(application.client_id),
        "scopes": application.scopes,
    }
    return Event(kind, SOURCE, application.identifier, data, at)


def registered(application: Application, at: datetime) -> Event:
    return _fact(REGISTERED, application, at)


def changed(application: Application, at: datetime) -> Event:
    """Its scopes are others than before."""
    return _fact(CHANGED, application, at)


def suspended(application: Application, at: datetime) -> Event:
    return _fact(SUSPENDED, application, at)


def resumed(application: Application, at: datetime) -> Event:
    return _fact(RESUMED, application, at)
