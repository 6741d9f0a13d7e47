"""What can go wrong between the gateway and a provider; the seam's own words for it."""

from __future__ import annotations


class ProviderUnreachable(Exception):
    """No connection, or it broke before the answer was complete. `is_unsent`: nothing was sent."""

    def __init__(self, why: str = "", *, is_unsent: bool = False) -> None:
        super().__init__(why)
        self.is_unsent = is_unsent


class ProviderTimeout(Exception):
    """Connecting or reading took longer than the interface allows; `is_unsent`: connecting did."""

    def __init__(self, *, is_unsent: bool = False) -> None:
        super().__init__()
        self.is_unsent = is_unsent


class BadFraming(ProviderUnreachable):
    """The provider's answer can be read in more than one way, or in none (RFC 9112)."""
