"""Whether an address wants our webhooks: the OPTIONS handshake of CloudEvents HTTP 1.1 Web Hooks.

Nobody can make the bus post to an address that has not agreed to it. Asked when a subscription is
made or resumed, by the process that also delivers, through the same checks of the address.
"""

from urllib.parse import urlsplit

from sebalai_exchange.deliveries.sender import AGENT, Outcome, Sender
from sebalai_exchange.subscriptions.actions import Subscription

TRIES = 5
PAUSE_SECONDS = 5.0


async def agrees(sender: Sender, to: Subscription, public_url: str) -> tuple[bool, str]:
    """Asks once; the second part says in a sentence what was answered."""
    origin = urlsplit(public_url).hostname or "localhost"
    headers = {"webhook-request-origin": origin, "user-agent": AGENT}
    outcome = await sender.request("OPTIONS", str(to.url), headers)
    return _verdict(outcome, origin)


def _verdict(outcome: Outcome, origin: str) -> tuple[bool, str]:
    if outcome.status is None:
        return False, outcome.reason or "no answer"
    allowed = [part.strip().lower() for part in (outcome.reason or "").split(",")]
    if outcome.is_delivered and ("*" in allowed or origin.lower() in allowed):
        return True, "agreed"
    return False, (
        f"answered OPTIONS with {outcome.status} and WebHook-Allowed-Origin "
        f"{(outcome.reason or 'missing')[:60]!r}; it must be 2xx and {origin} or *"
    )
