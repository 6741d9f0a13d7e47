"""A letter on its way out, as the tests of outgoing letters make it."""

from services.archive.tests.outgoing.conftest import authority, draft, people, settings, verified

__all__ = ["authority", "draft", "people", "settings", "verified"]
