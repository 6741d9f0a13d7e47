"""What a direct subscriber may say and hear on the broker, as pure functions.

Its connection stands in an account of its own kind, which shares nothing with the members' but
three services: fetch the next events of its consumer, look at that consumer, acknowledge. It hears
its own inboxes alone.
"""

from typing import Any
from uuid import UUID

ACCOUNT = "DIRECT"
STREAM = "EVENTS"
DOMAIN = "sebalai"  # of JetStream, as clients of another account reach the members'
PREFIX = "direct-"
SUBSCRIPTIONS_MAX = 100


def consumer_of(ident: UUID) -> str:
    return f"{PREFIX}{ident}"


def inbox_of(ident: UUID) -> str:
    return f"_INBOX_{ident}"


def permissions(ident: UUID) -> dict[str, Any]:
    """As the user's JWT spells them; what is not allowed is denied."""
    place = f"{STREAM}.{consumer_of(ident)}"
    return {
        "pub": {
            "allow": [
                f"$JS.{DOMAIN}.API.CONSUMER.MSG.NEXT.{place}",
                f"$JS.{DOMAIN}.API.CONSUMER.INFO.{place}",
                f"$JS.ACK.{place}.>",
            ]
        },
        "sub": {"allow": [f"{inbox_of(ident)}.>"]},
        "subs": SUBSCRIPTIONS_MAX,
        "data": -1,
        "payload": -1,
    }
