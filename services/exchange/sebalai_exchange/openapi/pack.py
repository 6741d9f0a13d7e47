"""What a gateway needs to check calls against a contract: operations and schemas as JSON Schema.

OpenAPI 3.0 has a dialect of its own (`nullable`, boolean bounds): it is turned into JSON Schema
draft 4 here, once, so that gateways know nothing of it.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from sebalai_exchange.openapi.reading import (
    JSON_MEDIA,
    Json,
    Operation,
    Reader,
    Unusable,
    references,
)

DRAFT_OLD, DRAFT_NEW = 4, 202012
URI = "urn:sebalai:contract"
_TOLD = frozenset({"description", "summary", "example", "examples", "externalDocs", "deprecated"})
# Maps whose keys are names that people chose, not words of the dialect.
_NAMED = frozenset(
    {
        "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "paths",
        "schemas", "parameters", "responses", "requestBodies", "headers", "content",
    }
)  # fmt: skip


def convert(value: Any, *, is_old: bool, is_named: bool = False) -> Any:
    """A copy without what is told to people; in an old one, `nullable` becomes a type."""
    if isinstance(value, list):
        return [convert(item, is_old=is_old) for item in value]
    if not isinstance(value, dict):
        return value
    kept: Json = {
        name: convert(inner, is_old=is_old, is_named=name in _NAMED and not is_named)
        for name, inner in value.items()
        if is_named or (name not in _TOLD and not name.startswith("x-"))
    }
    if is_old and not is_named and kept.get("nullable") is True:
        _allow_null(kept)
    return kept


def _allow_null(schema: Json) -> None:
    del schema["nullable"]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]


class _Checks:
    """The schemas calls are checked by, each once, in the order they are met."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._numbers: dict[str, int] = {}
        self.schemas: list[Any] = []

    def number(self, pointer: str | None) -> int | None:
        if not pointer:
            return None
        if pointer not in self._numbers:
            self._numbers[pointer] = len(self.schemas)
            schema = self._reader.at(pointer)
            self.schemas.append(convert(schema, is_old=self._reader.is_old))
        return self._numbers[pointer]

    def of_content(self, content: dict[str, str]) -> dict[str, int | None]:
        """Only JSON is checked; of other media it is known that they are agreed."""
        return {
            media: self.number(pointer) if JSON_MEDIA.match(media) else None
            for media, pointer in content.items()
        }


def drop_unbounded(document: Any) -> int:
    """Takes out patterns that the linear engine cannot run (look-around): how many.

    A backtracking engine could be held for a minute by one string; such a pattern is not checked.
    """
    known: dict[str, bool] = {}
    dropped, waiting = 0, [document]
    while waiting:
        item = waiting.pop()
        waiting.extend(item.values() if isinstance(item, dict) else ())
        waiting.extend(item if isinstance(item, list) else ())
        if not isinstance(item, dict):
            continue
        pattern, named = item.get("pattern"), item.get("patternProperties")
        if isinstance(pattern, str) and not _is_linear(pattern, known):
            del item["pattern"]
            dropped += 1
        if isinstance(named, dict) and not all(_is_linear(str(name), known) for name in named):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            del item["patternProperties"]
            item.pop("additionalProperties", None)
            dropped += 1
    return dropped


def _is_linear(pattern: str, known: dict[str, bool]) -> bool:
    if pattern not in known:
        try:
            jsonschema_rs.Draft202012Validator(
                {"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions()
            )
            known[pattern] = True
        except (jsonschema_rs.ValidationError, ValueError):
            known[pattern] = False
    return known[pattern]


def make_pack(reader: Reader, operations: list[Operation]) -> Json:
    """`document.checks` are schemas, named by number; the rest is what references in them need.

    A parameter is [place, name, is required, check]. Raises: Unusable.
    """
    checks = _Checks(reader)
    told = [
        {
            "method": one.method,
            "path": one.path,
            "parameters": [
                [p.place, p.name, p.is_required, checks.number(p.pointer)] for p in one.parameters
            ],
            "body_required": one.is_body_required,
            "request": checks.of_content(one.request),
            "responses": {s: checks.of_content(content) for s, content in one.responses.items()},
        }
        for one in operations
    ]
    document: Json = {"checks": checks.schemas}
    for name in ("components", "paths"):
        targets = list(references(document))
        if any(target.startswith(f"#/{name}/") for target in targets):
            document[name] = convert(reader.document.get(name, {}), is_old=reader.is_old)
    drop_unbounded(document)
    draft = DRAFT_OLD if reader.is_old else DRAFT_NEW
    return {"draft": draft, "document": document, "operations": told}


def check_schemas(pack: Json) -> int:
    """Compiles every schema that calls would be checked by; how many. Raises: Unusable."""
    for target in references(pack["document"]):
        if not target.startswith("#"):
            raise Unusable("/components", f"refers outside the document: {target[:100]}")
    is_old = pack["draft"] == DRAFT_OLD
    draft = jsonschema_rs.Draft4 if is_old else jsonschema_rs.Draft202012
    kind = jsonschema_rs.Draft4Validator if is_old else jsonschema_rs.Draft202012Validator
    registry = jsonschema_rs.Registry([(URI, pack["document"])], draft=draft)
    options = jsonschema_rs.RegexOptions()
    for number in range(len(pack["document"]["checks"])):
        schema = {"$ref": f"{URI}#/checks/{number}"}
        try:
            kind(schema, registry=registry, pattern_options=options)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            reason = str(error).partition("\n")[0][:200]
            raise Unusable("/components", f"holds an unusable schema: {reason}") from error
    return len(pack["document"]["checks"])
