"""`python -m sebalai_portal api`: the only process; there is nothing to migrate or to load."""

from __future__ import annotations

from collections.abc import Sequence

from sebalai_shared.process import main, serve

from sebalai_portal.app import portal_app
from sebalai_portal.settings import PortalSettings


def api(_: Sequence[str]) -> None:
    settings = PortalSettings.from_environment()
    serve(portal_app(settings), settings)


if __name__ == "__main__":
    main({"api": api})
