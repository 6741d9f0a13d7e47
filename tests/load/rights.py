"""The agreements in the form each rival decides by fastest: lines for nginx's Lua tables, trees of
exact words and prefixes for Envoy (its matching API; a list of routes or policies is read from the
top, and would punish it).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import workload

_TYPES = "type.googleapis.com"
_HEADER = f"{_TYPES}/envoy.type.matcher.v3.HttpRequestHeaderMatchInput"
Tree = dict[str, Any]


def write_lines(file: Path) -> None:
    """An agreement a line: consumer, interface, purpose."""
    file.write_text("\n".join(" ".join(one) for one in workload.agreed()) + "\n")


def envoy_routes() -> str:
    """The route of a path, named after its interface; each with who may use it, and for what."""
    rights = _rights()
    ways = {
        f"/r1/{name}/": _action(
            "envoy.config.route.v3.Route",
            name=name,
            match={"prefix": "/"},
            route={"cluster": "provider", "timeout": "30s"},
            typed_per_filter_config={"envoy.filters.http.rbac": rights[name]},
        )
        for name in workload.interfaces()
    }
    return json.dumps(_by("prefix_match_map", ":path", ways))


def envoy_rates(rate: int) -> str:
    """A bucket for each consumer, of `rate` calls and filled each second."""
    bucket = {"max_tokens": rate, "tokens_per_fill": rate, "fill_interval": "1s"}
    names = map(workload.consumer, range(workload.CONSUMERS))
    return json.dumps(
        [{"entries": [{"key": "client", "value": n}], "token_bucket": bucket} for n in names]
    )


def _rights() -> dict[str, Tree]:
    """By interface: allows it to a consumer for a purpose. Who is not found is refused."""
    allow = _action("envoy.config.rbac.v3.Action", name="agreed", action="ALLOW")
    found: dict[str, dict[str, Tree]] = {}
    for consumer, interface, purpose in workload.agreed():
        purposes = _by("exact_match_map", "sebalai-purpose", {purpose: allow})
        found.setdefault(interface, {})[consumer] = {"matcher": purposes}
    kind = f"{_TYPES}/envoy.extensions.filters.http.rbac.v3.RBACPerRoute"
    return {
        name: {"@type": kind, "rbac": {"matcher": _by("exact_match_map", "x-road-client", those)}}
        for name, those in found.items()
    }


def _by(algorithm: str, header: str, found: dict[str, Tree]) -> Tree:
    told = {"name": header, "typed_config": {"@type": _HEADER, "header_name": header}}
    return {"matcher_tree": {"input": told, algorithm: {"map": found}}}


def _action(kind: str, **told: object) -> Tree:
    typed = {"@type": f"{_TYPES}/{kind}", **told}
    return {"action": {"name": "action", "typed_config": typed}}
