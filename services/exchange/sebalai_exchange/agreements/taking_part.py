"""Whether a granted agreement lets an application publish or receive events of a type.

Pure. The same agreements, rules and purposes as for calls; the rule's method is SUBSCRIBE or
PUBLISH and its path `/<event type>`, so that `*` for calls never opens events.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from sebalai_exchange.agreements.model import Agreement

SUBSCRIBE = "SUBSCRIBE"
EVENT_METHODS = frozenset({SUBSCRIBE, "PUBLISH"})


@dataclass(frozen=True)
class Ask:
    """May `consumer` do `method` on `path` of `interface` for `purpose`?"""

    consumer: str
    interface: str
    method: str
    path: str
    purpose: str | None


def leaves(ask: Ask, names: Collection[str], agreements: Iterable[Agreement]) -> list[int | None]:
    """The `keep_days` of each purpose that lets it take part, None where it names none; nothing
    lets it when the list is empty. `names` are the consumer's own and its groups'; `agreements`
    granted and in force.
    """
    return [
        purpose.get("keep_days")
        for agreement in agreements
        if agreement.consumer in names and agreement.interface == ask.interface
        for purpose in agreement.purposes
        if purpose["code"] == ask.purpose and opens(agreement, ask.method, ask.path)
    ]


def opens(agreement: Agreement, method: str, path: str) -> bool:
    return any(
        rule["method"] == method and _glob(rule["path"]).fullmatch(path) for rule in agreement.rules
    )


@lru_cache(maxsize=10_000)
def _glob(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\\\*|\*\*|\*)", path)
    spelled = {r"\*": r"\*", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(spelled.get(part, re.escape(part)) for part in parts))
