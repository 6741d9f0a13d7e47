"""The panel takes a record to its destruction here too."""

from services.archive.tests.disposals.conftest import operator, panel

__all__ = ["operator", "panel"]
