"""Facts about applications: ids, scopes, and which key; never a key itself."""

from sebalai_identity.applications.model import Application, ApplicationKey

REGISTERED = "identity.application.registered.v1"
CHANGED = "identity.application.changed.v1"
"""Its scopes are others than before."""
KEYED = "identity.application.keyed.v1"
"""A known application got another key, or the end of one moved."""
SUSPENDED = "identity.application.suspended.v1"
RESUMED = "identity.application.resumed.v1"
ENDED = "identity.application.ended.v1"
"""Its client took its registration back; nobody resumes it."""


def data_of(application: Application) -> dict[str, object]:
    return {
        "application_id": str(application.id),
        "application": application.identifier,
        "agency": application.agency,
        "client_id": str(application.client_id),
        "scopes": application.scopes,
    }


def data_of_key(application: Application, key: ApplicationKey) -> dict[str, object]:
    until = key.valid_until
    return {
        "application_id": str(application.id),
        "application": application.identifier,
        "agency": application.agency,
        "thumbprint": key.thumbprint,
        "valid_until": until.isoformat() if until is not None else None,
    }
