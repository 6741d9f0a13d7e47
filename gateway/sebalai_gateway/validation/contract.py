"""A contract as calls are held against it (wiring, section 7): operations, and compiled checks.

A deviation names the place and the broken word of the schema, never a value, which may be personal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
import msgspec
import orjson

from sebalai_gateway.validation.burden import Burdens
from sebalai_gateway.validation.parameters import is_judged, readings, types_of

Said = dict[str, list[str]]
Headers = Sequence[tuple[bytes, bytes]]

URI = "urn:sebalai:contract"
DRAFT_OLD = 4
DEVIATIONS_MAX = 5
PLACE_LENGTH_MAX = 120
NAME_LENGTH_MAX = 60
NOT_MODIFIED = 304
# Schemas that look at a value, times bytes: a hundredth of a second, seldom a tenth.
BURDEN_MAX = 1_000_000
_PARAMETER = re.compile(r"\{[^{}/]*\}")
_DIGITS = re.compile(r"\d{6,}")


class Operation(msgspec.Struct, frozen=True):
    """`parameters` are [place, name, is required, check]; a check is a number or nothing."""

    method: str
    path: str
    parameters: list[tuple[str, str, bool, int | None]]
    body_required: bool
    request: dict[str, int | None]
    responses: dict[str, dict[str, int | None]]


class Pack(msgspec.Struct, frozen=True):
    draft: int
    document: dict[str, Any]
    operations: list[Operation]


class Contract:
    """Checks are compiled when first used: most operations of a large contract are never called."""

    def __init__(self, pack: bytes, file: Path | None = None) -> None:
        """`file` is where the pack lies, so that a child can read it too. Raises: ValueError, when
        it is not a pack.
        """
        self.file = file
        told = msgspec.json.decode(pack, type=Pack)
        self._is_old = told.draft == DRAFT_OLD
        draft = jsonschema_rs.Draft4 if self._is_old else jsonschema_rs.Draft202012
        self._registry = jsonschema_rs.Registry([(URI, told.document)], draft=draft)
        self._checks: dict[int, Any] = {}
        self._document, self._burdens = told.document, Burdens(told.document)
        # Literal paths first: `/a/search` is not `/a/{id}`.
        ordered = sorted(told.operations, key=lambda one: one.path.count("{"))
        self._operations = [(one, _pattern(one.path)) for one in ordered]
        self._numbers = {(one.method, one.path): n for n, one in enumerate(ordered)}

    def operation(self, method: str, path: str) -> Operation | None:
        for operation, pattern in self._operations:
            if operation.method == method and pattern.fullmatch(path):
                return operation
        return None

    def said(
        self, operation: Operation, path: str, headers: Headers, given: str | None = None
    ) -> Said:
        """What is judged of the path and the headers (names in lower case): by `path {name}` and
        `header {name}` the values of each described parameter but `given`, which is the gateway's
        to send.
        """
        pattern = self._operations[self._number(operation)][1]
        match, names = pattern.fullmatch(path), _PARAMETER.findall(operation.path)
        found = match.groups() if match else ()
        told: Said = {f"path {n[1:-1]}": [v] for n, v in zip(names, found, strict=bool(match))}
        for place, name, _, _ in operation.parameters:
            wanted = name.lower()
            if place == "header" and is_judged(wanted) and wanted != given:
                lines = [v for n, v in headers if n == wanted.encode("latin-1", "replace")]
                told[f"header {name}"] = [line.decode("latin-1").strip() for line in lines]
        return told

    def _number(self, operation: Operation) -> int:
        return self._numbers[operation.method, operation.path]

    def order(self, operation: Operation, side: str, **asked: Any) -> dict[str, Any]:
        """What a child is asked (`child`); `file` must be told."""
        number = self._number(operation)
        return {"file": str(self.file), "side": side, "operation": number, **asked}

    def deviations(self, order: dict[str, Any], body: bytes) -> list[str]:
        """As `request` or `response`, of an order."""
        operation, media = self._operations[order["operation"]][0], order["media"]
        if order["side"] == "request":
            query = order["query"].encode("latin-1")
            return self.request(operation, query, media, body, order["said"])
        return self.response(operation, order["status"], media, body)

    def is_heavy(self, operation: Operation, side: str, status: int, body: bytes) -> bool:
        """Whether checking this body could keep others waiting."""
        content = operation.request if side == "request" else _described(operation, status) or {}
        checks = [*content.values()]
        if side == "request":
            checks += [check for _, _, _, check in operation.parameters]
        burdens = [self._burdens.of(check) for check in checks if check is not None]
        size = max(1, len(body))
        return any(one is None or one * size > BURDEN_MAX for one in burdens)

    def request(
        self,
        operation: Operation,
        query: bytes,
        media: str | None,
        body: bytes,
        said: Said | None = None,
    ) -> list[str]:
        """Deviations of a request; a body of another medium than described is one. `said` is what
        `said` answers.
        """
        found = [*self._parameters(operation, query, said or {})]
        if not body:
            if operation.body_required:
                found.append("request.body: required")
            return found[:DEVIATIONS_MAX]
        if not operation.request:
            found.append("request.body: not described")
        else:
            found += self._body("request.body", operation.request, media, body)
        return found[:DEVIATIONS_MAX]

    def response(
        self, operation: Operation, status: int, media: str | None, body: bytes
    ) -> list[str]:
        """Deviations of an answer. Faults (5xx) need not be described."""
        content = _described(operation, status)
        if content is None:
            # Whoever asks whether something has changed is told so; contracts seldom say it.
            is_free = status >= 500 or status == NOT_MODIFIED or not operation.responses
            return [] if is_free else [f"response.status: {status} not described"]
        if not body or not content:
            return []
        return self._body("response.body", content, media, body)[:DEVIATIONS_MAX]

    def _parameters(self, operation: Operation, query: bytes, said: Said) -> Iterator[str]:
        asked: Said = {}
        for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            asked.setdefault(name, []).append(value)
        for place, name, is_required, check in operation.parameters:
            values = asked.get(name, []) if place == "query" else said.get(f"{place} {name}")
            types = self._types(check)
            if values is None or (check is not None and not types):
                continue
            if values:
                yield from self._values(f"request.{place}/{_safe(name)}", values, check, types)
            elif is_required:
                yield f"request.{place}: {_safe(name)} required"

    def _types(self, check: int | None) -> frozenset[str]:
        if check is None:
            return frozenset()
        return types_of(self._document, self._document["checks"][check])

    def _values(
        self, place: str, values: list[str], check: int | None, types: frozenset[str]
    ) -> Iterator[str]:
        """Deviations of a parameter that is there; what is empty says nothing."""
        if check is None or not any(values):
            return
        try:
            schema = self._check(check)
        except ValueError:
            yield f"{place}: the contract's schema cannot be used"
            return
        for meanings in readings(values, types):
            if not any(schema.is_valid(one) for one in meanings):
                error = next(iter(schema.iter_errors(meanings[-1])))
                yield _deviation(place, error)

    def _body(
        self, place: str, content: dict[str, int | None], media: str | None, body: bytes
    ) -> list[str]:
        kind = (media or "").partition(";")[0].strip().lower()
        key = next((m for m in (kind, f"{kind.partition('/')[0]}/*", "*/*") if m in content), None)
        if key is None:
            same = [m for m in content if m.partition(";")[0].strip() == kind]
            if not same:
                return [f"{place}: medium not described"]
            key = same[0]
        check = content[key]
        if check is None:
            return []
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return [f"{place}: not JSON"]
        if _says_twice(body):
            return [f"{place}: a name stands twice"]
        try:
            errors = self._check(check).iter_errors(document)
        except ValueError:
            # Noted where calls are watched, refused where they are held to it; never a broken call.
            return [f"{place}: the contract's schema cannot be used"]
        return [_deviation(place, error) for error in islice(errors, DEVIATIONS_MAX)]

    def _check(self, number: int) -> Any:
        if number not in self._checks:
            kind = (
                jsonschema_rs.Draft4Validator
                if self._is_old
                else jsonschema_rs.Draft202012Validator
            )
            self._checks[number] = kind(
                {"$ref": f"{URI}#/checks/{number}"},
                registry=self._registry,
                pattern_options=jsonschema_rs.RegexOptions(),
            )
        return self._checks[number]


def _described(operation: Operation, status: int) -> dict[str, int | None] | None:
    told = operation.responses
    return told.get(str(status), told.get(f"{status // 100}XX", told.get("default")))


def _says_twice(body: bytes) -> bool:
    """Whether an object has a name twice: of two readers one takes the first, one the last, and
    only one of them was checked (RFC 8259, section 4).
    """
    try:
        json.loads(body, object_pairs_hook=_once)
    except (_Twice, RecursionError, ValueError):
        # What the other parser cannot read is read in two ways as well.
        return True
    return False


class _Twice(Exception):
    """A name stands twice."""


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Twice


def _deviation(place: str, error: Any) -> str:
    path: Sequence[Any] = error.instance_path
    pointer = "".join(f"/{'*' if isinstance(part, int) else _safe(str(part))}" for part in path)
    word = str(error.schema_path[-1]) if error.schema_path else "schema"
    return f"{place}{pointer[:PLACE_LENGTH_MAX]}: {_safe(word)}"


def _safe(name: str) -> str:
    """A name of the document without what could be a number of a person."""
    return _DIGITS.sub("#", name)[:NAME_LENGTH_MAX]


def _pattern(path: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(path)
    return re.compile("([^/]+)".join(re.escape(part) for part in parts))
