"""Reads an OpenAPI 3.0 or 3.1 document: which operations it offers, and what of it cannot be used.

Runs only in a child process with limits, because strangers write these documents. Owns structure;
does not own JSON Schema itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

VERSIONS = ("3.0.", "3.1.")
METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
REFERENCES_MAX = 50
DEPTH_MAX = 64
OPERATIONS_MAX = 20_000
JSON_MEDIA = re.compile(r"application/(?:[\w.+-]+\+)?json\b|\*/\*", re.IGNORECASE)

Json = dict[str, Any]


class Unusable(ValueError):
    """The document is not one an interface can be published with; `pointer` says where."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer, self.detail = pointer, detail


@dataclass(frozen=True)
class Parameter:
    """`schema` is the pointer of its schema, if it is described by one."""

    place: str
    name: str
    is_required: bool
    pointer: str | None


@dataclass(frozen=True)
class Operation:
    """One method of one path; bodies as media type → pointer of the schema."""

    method: str
    path: str
    pointer: str
    operation_id: str | None
    parameters: list[Parameter] = field(default_factory=list[Parameter])
    is_body_required: bool = False
    request: dict[str, str] = field(default_factory=dict[str, str])
    responses: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])


def escape(part: str) -> str:
    """One part of a JSON pointer."""
    return part.replace("~", "~0").replace("/", "~1")


class Reader:
    def __init__(self, document: Json) -> None:
        self.document = document

    def check_head(self) -> None:
        """Raises: Unusable."""
        version = self.document.get("openapi")
        if not isinstance(version, str) or not version.startswith(VERSIONS):
            raise Unusable("/openapi", "must name version 3.0.x or 3.1.x")
        info = self.document.get("info")
        if not isinstance(info, dict) or not {"title", "version"} <= info.keys():
            raise Unusable("/info", "must hold title and version")
        if not isinstance(self.document.get("paths"), dict):
            raise Unusable("/paths", "must be an object")

    def check_depth(self) -> None:
        """Without recursion, because strangers write these. Raises: Unusable."""
        layer: list[Any] = [self.document]
        for _ in range(DEPTH_MAX + 1):
            inner: list[Any] = []
            for item in layer:
                if isinstance(item, dict):
                    inner.extend(item.values())
                elif isinstance(item, list):
                    inner.extend(item)
            layer = inner
        if layer:
            raise Unusable("", f"must not nest deeper than {DEPTH_MAX} levels")

    @property
    def is_old(self) -> bool:
        """3.0: schemas are a dialect of their own."""
        return self.document["openapi"].startswith("3.0.")

    def at(self, pointer: str) -> Any:
        """What stands at a local pointer (`/a/b`). Raises: Unusable."""
        value: Any = self.document
        for part in pointer.split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            else:
                raise Unusable(pointer, "is referred to but does not exist")
        return value

    def follow(self, pointer: str) -> tuple[str, Json]:
        """The object at a pointer, references followed. Raises: Unusable."""
        for _ in range(REFERENCES_MAX):
            value = self.at(pointer)
            if not isinstance(value, dict):
                raise Unusable(pointer, "must be an object")
            target = value.get("$ref")
            if not isinstance(target, str):
                return pointer, value
            pointer = local(target, pointer)
        raise Unusable(pointer, "refers to itself")

    def operations(self) -> list[Operation]:
        """Raises: Unusable."""
        found: list[Operation] = []
        for path in self.document["paths"]:
            if path.startswith("x-"):
                continue
            if not path.startswith("/"):
                raise Unusable(f"/paths/{escape(path)}", "a path begins with /")
            found.extend(self._of_path(path))
            if len(found) > OPERATIONS_MAX:
                raise Unusable("/paths", f"more than {OPERATIONS_MAX} operations")
        return found

    def _of_path(self, path: str) -> Iterator[Operation]:
        pointer, item = self.follow(f"/paths/{escape(path)}")
        common = self._parameters(pointer, item)
        for method in METHODS:
            if method in item:
                where, operation = self.follow(f"{pointer}/{method}")
                yield self._operation(method.upper(), path, (where, operation), common)

    def _operation(
        self, method: str, path: str, at: tuple[str, Json], common: list[Parameter]
    ) -> Operation:
        where, operation = at
        own = self._parameters(where, operation)
        names = {(parameter.place, parameter.name) for parameter in own}
        parameters = [*own, *(p for p in common if (p.place, p.name) not in names)]
        identifier = operation.get("operationId")
        request, is_required = self._request(where, operation)
        return Operation(
            method,
            path,
            where,
            identifier if isinstance(identifier, str) else None,
            parameters,
            is_required,
            request,
            self._responses(where, operation),
        )

    def _parameters(self, pointer: str, holder: Json) -> list[Parameter]:
        listed = holder.get("parameters", [])
        if not isinstance(listed, list):
            raise Unusable(f"{pointer}/parameters", "must be a list")
        found: list[Parameter] = []
        for number in range(len(listed)):  # pyright: ignore[reportUnknownArgumentType]
            where, parameter = self.follow(f"{pointer}/parameters/{number}")
            place, name = parameter.get("in"), parameter.get("name")
            if place not in ("path", "query", "header", "cookie") or not isinstance(name, str):
                raise Unusable(where, "a parameter has a name and `in`")
            schema = f"{where}/schema" if isinstance(parameter.get("schema"), dict) else None
            is_required = place == "path" or parameter.get("required") is True
            found.append(Parameter(str(place), name, is_required, schema))
        return found

    def _request(self, pointer: str, operation: Json) -> tuple[dict[str, str], bool]:
        if "requestBody" not in operation:
            return {}, False
        where, body = self.follow(f"{pointer}/requestBody")
        return self._content(where, body), body.get("required") is True

    def _responses(self, pointer: str, operation: Json) -> dict[str, dict[str, str]]:
        listed = operation.get("responses")
        if not isinstance(listed, dict):
            # 3.1 lets an operation promise nothing; 3.0 does not.
            if self.is_old:
                raise Unusable(f"{pointer}/responses", "must be an object")
            return {}
        found: dict[str, dict[str, str]] = {}
        for status in listed:  # pyright: ignore[reportUnknownVariableType]
            if isinstance(status, str) and not status.startswith("x-"):
                where, answer = self.follow(f"{pointer}/responses/{escape(status)}")
                found[status] = self._content(where, answer)
        return found

    def _content(self, pointer: str, holder: Json) -> dict[str, str]:
        """Media type → pointer of its schema, or an empty text where nothing is said of it."""
        content = holder.get("content", {})
        if not isinstance(content, dict):
            raise Unusable(f"{pointer}/content", "must be an object")
        found: dict[str, str] = {}
        for media in content:  # pyright: ignore[reportUnknownVariableType]
            where, one = self.follow(f"{pointer}/content/{escape(str(media))}")  # pyright: ignore[reportUnknownArgumentType]
            is_described = isinstance(one.get("schema"), dict)
            found[str(media).lower()] = f"{where}/schema" if is_described else ""  # pyright: ignore[reportUnknownArgumentType]
        return found


def local(reference: str, pointer: str) -> str:
    """The pointer of a reference inside the document. Raises: Unusable."""
    if reference == "#":
        return ""
    if not reference.startswith("#/"):
        raise Unusable(pointer, f"refers outside the document: {reference[:100]}")
    return reference[1:]


def references(value: Any) -> Iterator[str]:
    """Every `$ref` of a document, without recursion."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            target = item.get("$ref")
            if isinstance(target, str):
                yield target
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
