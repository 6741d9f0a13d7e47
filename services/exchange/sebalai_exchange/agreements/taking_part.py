"""Whether a granted agreement lets an application publish or receive events of a type.

Pure. The same agreements, rules and purposes as for calls; the rule's method is SUBSCRIBE or
PUBLISH and its path `/<event type>`, so that `*` for calls never opens events.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from sebalai_exchange.agreements.model import Agreement

EVENT_METHODS = frozenset({"SUBSCRIBE", "PUBLISH"})


@dataclass(frozen=True)
class Ask:
    """May `consumer` do `method` on `path` of `interface` for `purpose`?"""

    consumer: str
    interface: str
    method: str
    path: str
    purpose: str | None


def is_allowed(ask: Ask, names: Collection[str], agreements: Iterable[Agreement]) -> bool:
    """`names` are the consumer's own and its groups'; `agreements` granted and in force."""
    return any(_fits(ask, names, agreement) for agreement in agreements)


def _fits(ask: Ask, names: Collection[str], agreement: Agreement) -> bool:
    if agreement.consumer not in names or agreement.interface != ask.interface:
        return False
    if not any(purpose["code"] == ask.purpose for purpose in agreement.purposes):
        return False
    return any(
        rule["method"] == ask.method and _glob(rule["path"]).fullmatch(ask.path)
        for rule in agreement.rules
    )


@lru_cache(maxsize=10_000)
def _glob(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\\\*|\*\*|\*)", path)
    spelled = {r"\*": r"\*", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(spelled.get(part, re.escape(part)) for part in parts))
