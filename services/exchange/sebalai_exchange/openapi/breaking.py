"""What a new version of a contract breaks for those who already call: said one by one.

A break is what a consumer written for the old version can notice: something it may send is refused,
or something it may rely on is missing. Bounded: what lies beyond NODES_MAX is not looked at.
"""

from __future__ import annotations

import re
from typing import Any

from sebalai_exchange.openapi.narrowing import narrowed
from sebalai_exchange.openapi.reading import JSON_MEDIA, Json, Operation, Reader, Unusable

BREAKS_MAX = 100
NODES_MAX = 20_000
_PARAMETER = re.compile(r"\{[^{}/]*\}")


class Comparison:
    def __init__(self, old: Reader, new: Reader) -> None:
        self._old, self._new = old, new
        self._breaks: list[str] = []
        self._seen: set[tuple[str, str, bool]] = set()

    def breaks(self) -> list[str]:
        """One line a break, at most BREAKS_MAX. Raises: Unusable."""
        old = {_key(operation): operation for operation in self._old.operations()}
        new = {_key(operation): operation for operation in self._new.operations()}
        for key, operation in old.items():
            if key not in new:
                self._note(f"{operation.method} {operation.path}: no longer offered")
            else:
                self._compare(operation, new[key])
        return self._breaks[:BREAKS_MAX]

    def _note(self, line: str) -> None:
        if line not in self._breaks and len(self._breaks) <= BREAKS_MAX:
            self._breaks.append(line)

    def _compare(self, old: Operation, new: Operation) -> None:
        place = f"{old.method} {old.path}"
        self._parameters(place, old, new)
        self._request(place, old, new)
        for status, content in old.responses.items():
            if not status.startswith(("2", "3", "d")):
                continue
            if status not in new.responses:
                self._note(f"{place}: answer {status} is no longer described")
                continue
            for media, pointer in content.items():
                told = new.responses[status]
                if media not in told:
                    self._note(f"{place}: answer {status} no longer comes as {media}")
                elif pointer and told[media] and JSON_MEDIA.match(media):
                    where = f"{place}: answer {status}"
                    self._schemas(where, (pointer, told[media]), is_sent=False)

    def _parameters(self, place: str, old: Operation, new: Operation) -> None:
        # Path parameters are compared by their position: their names are the contract's own.
        known = {(p.place, p.name): p for p in old.parameters if p.place != "path"}
        for parameter in new.parameters:
            if parameter.place == "path":
                continue
            before = known.get((parameter.place, parameter.name))
            name = f"{place}: {parameter.place} parameter {parameter.name}"
            if before is None:
                if parameter.is_required:
                    self._note(f"{name} is new and required")
                continue
            if parameter.is_required and not before.is_required:
                self._note(f"{name} became required")
            if parameter.pointer and before.pointer:
                self._schemas(name, (before.pointer, parameter.pointer), is_sent=True)

    def _request(self, place: str, old: Operation, new: Operation) -> None:
        if new.is_body_required and not old.is_body_required:
            self._note(f"{place}: the body became required")
        for media, pointer in old.request.items():
            if media not in new.request:
                self._note(f"{place}: a body as {media} is no longer taken")
            elif pointer and new.request[media] and JSON_MEDIA.match(media):
                where = f"{place}: body"
                self._schemas(where, (pointer, new.request[media]), is_sent=True)

    def _schemas(self, place: str, at: tuple[str, str], *, is_sent: bool) -> None:
        """`is_sent`: by the consumer, so narrowing breaks; else received, so loosening does."""
        waiting = [(place, *at)]
        while waiting and len(self._seen) < NODES_MAX:
            where, before, after = waiting.pop()
            try:
                before, old = self._old.follow(before)
                after, new = self._new.follow(after)
            except Unusable:
                continue
            if (before, after, is_sent) in self._seen:
                continue
            self._seen.add((before, after, is_sent))
            self._one(where, old, new, is_sent=is_sent)
            waiting += _inner(where, (before, old), (after, new))

    def _one(self, where: str, old: Json, new: Json, *, is_sent: bool) -> None:
        given, taken = (old, new) if is_sent else (new, old)
        missing = _types(given) - _types(taken)
        if _types(given) and _types(taken) and missing:
            self._note(f"{where}: type {_shown(old)} became {_shown(new)}")
        required, before = _names(new, "required"), _names(old, "required")
        if is_sent:
            for name in sorted(required - before):
                self._note(f"{where}: {name} became required")
            gone = [v for v in _values(old) or () if v not in (_values(new) or (v,))]
            if gone or (_values(new) and not _values(old)):
                self._note(f"{where}: fewer values are taken")
            for told in narrowed(old, new):
                self._note(f"{where}: {told}")
            return
        known = _values(old)
        if known and any(value not in known for value in _values(new) or (None,)):
            self._note(f"{where}: holds values it never held")
        properties = new.get("properties", {})
        for name in sorted(before - required):
            self._note(f"{where}: {name} is no longer always there")
        for name in sorted(set(old.get("properties", {})) - set(properties) - before):
            self._note(f"{where}: {name} is no longer described")


def _inner(where: str, old: tuple[str, Json], new: tuple[str, Json]) -> list[tuple[str, str, str]]:
    """Pairs of schemas below: properties of one name, items, and parts of one number."""
    (before, was), (after, now) = old, new
    found: list[tuple[str, str, str]] = []
    for holder in ("properties", "allOf", "oneOf", "anyOf"):
        for name, inner in _pairs(was.get(holder), now.get(holder)):
            below = f"{where}/{name}" if holder == "properties" else where
            found.append((below, f"{before}/{holder}/{inner}", f"{after}/{holder}/{inner}"))
    if isinstance(was.get("items"), dict) and isinstance(now.get("items"), dict):
        found.append((f"{where}[]", f"{before}/items", f"{after}/items"))
    return found


def _pairs(old: Any, new: Any) -> list[tuple[str, str]]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [(str(k), str(k).replace("~", "~0").replace("/", "~1")) for k in old if k in new]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(old, list) and isinstance(new, list):
        return [(str(n), str(n)) for n in range(min(len(old), len(new)))]  # pyright: ignore[reportUnknownArgumentType]
    return []


def _types(schema: Json) -> set[str]:
    """The types a schema lets through, `integer` being a `number` too; empty when it says none."""
    told = schema.get("type")
    found = {str(one) for one in (told if isinstance(told, list) else [told] if told else [])}  # pyright: ignore[reportUnknownVariableType]
    if found and schema.get("nullable") is True:
        found.add("null")
    return found | {"integer"} if "number" in found else found


def _shown(schema: Json) -> str:
    return " or ".join(sorted(_types(schema))) or "any"


def _names(schema: Json, key: str) -> set[str]:
    told = schema.get(key)
    return {one for one in told if isinstance(one, str)} if isinstance(told, list) else set()  # pyright: ignore[reportUnknownVariableType]


def _values(schema: Json) -> list[Any] | None:
    told = schema.get("enum")
    return told if isinstance(told, list) else None  # pyright: ignore[reportUnknownVariableType]


def _key(operation: Operation) -> tuple[str, str]:
    return operation.method, _PARAMETER.sub("{}", operation.path)
