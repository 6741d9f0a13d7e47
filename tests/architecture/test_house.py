"""House rules, each with the incident behind it. Escape: `# house: <rule> - reason` on the line."""

import ast
import importlib
import re
import subprocess
import tomllib
from inspect import isasyncgenfunction, iscoroutinefunction
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from sebalai_shared.caller import _any_caller, _gateway_only, _identified

ROOT = Path(__file__).parents[2]
PUBLIC = {
    "sebalai_identity": {
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/oauth/jwks",
        "/oauth/token",
    },
    "sebalai_services_catalog": {"/.well-known/api-catalog"},
    "sebalai_archive": set(),
    "sebalai_exchange": set(),
}
ACCESS = {_any_caller, _identified, _gateway_only}
TRACKED = subprocess.run(
    ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()


def _calls(dependant):
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)


def _routes(member):
    app = importlib.import_module(f"{member}.app")
    # The slices' own routers are walked: FastAPI no longer lists included routes in app.routes.
    for module in list(vars(app).values()):
        routers = (
            [module]
            if isinstance(module, APIRouter)
            else [v for v in vars(module).values() if isinstance(v, APIRouter)]
            if hasattr(module, "__dict__") and hasattr(module, "__file__")
            else []
        )
        for router in routers:
            for route in router.routes:
                if isinstance(route, APIRoute):
                    yield route


@pytest.mark.parametrize("member", sorted(PUBLIC))
def test_every_route_names_an_access_type_or_is_on_the_public_list(member):
    # X-Road's denial answered 500 and its metadata skipped the check: a route must say who may.
    routes = {route.path: route for route in _routes(member)}
    assert routes, f"no routes of {member} were looked at"
    open_routes = {
        path for path, route in routes.items() if not ACCESS & set(_calls(route.dependant))
    }
    assert open_routes <= PUBLIC[member]


@pytest.mark.parametrize("member", [*sorted(PUBLIC), "sebalai_portal"])
def test_what_a_route_depends_on_is_async(member):
    # A plain function, or a class, is run in a thread: each request of every member paid for two.
    calls = {call for route in _routes(member) for call in _calls(route.dependant)}
    assert calls, f"no dependencies of {member} were looked at"
    plain = [c for c in calls if not (iscoroutinefunction(c) or isasyncgenfunction(c))]
    assert plain == []


def test_no_tracked_file_holds_both_sides_of_a_conflict():
    # A README landed with the marks of a merge in two of its tables.
    marks = re.compile(rb"^(<{7} |>{7} )", re.MULTILINE)
    files = [ROOT / name for name in TRACKED if (ROOT / name).is_file()]
    assert [str(path) for path in files if marks.search(path.read_bytes())] == []


def test_nothing_is_built_at_module_level(sources):
    # One global config made a model codebase untestable; settings, engines and clients are handed down.
    built = re.compile(r"(Settings|Database|Broker|Client|create_\w*engine|ClientSession)$")
    looked, wrong = 0, []
    for source in sources:
        for node in source.tree.body:
            value = getattr(node, "value", None)
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(value, ast.Call):
                looked += 1
                name = ast.unparse(value.func).split(".")[-1]
                if built.search(name) and not source.excuses("module-level", node.lineno):
                    wrong.append(f"{source.name}:{node.lineno} {name}")
    assert looked > 20
    assert wrong == []


def test_a_client_is_never_made_per_request(sources):
    # `async with httpx.AsyncClient()` in a handler costs 53 to 100 ms of CPU each time (measured).
    users = [s.name for s in sources for name, _ in s.imports() if name == "httpx"]
    assert set(users) <= {"sebalai_shared.http", "sebalai_shared.testing.http"}


def _is_broad(node):
    if not isinstance(node, ast.ExceptHandler):
        return False
    return node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}


def test_broad_excepts_stand_only_in_loops(sources):
    # A swallowed handler error lost events in a model codebase; loops log and go on, others may not.
    allowed = {"sebalai_shared.consumer", "sebalai_shared.health", "sebalai_shared.process"}
    wrong = [
        f"{source.name}:{node.lineno}"
        for source in sources
        for node in ast.walk(source.tree)
        if _is_broad(node)
        and source.name not in allowed
        and not source.excuses("broad", node.lineno)
    ]
    assert wrong == []


def test_the_tree_holds_no_key_and_no_machine_path():
    bad = re.compile(r"-----BEGIN (?:EC |RSA )?PRIVATE|(?<![\w.])/(?:work|root)/")
    looked, wrong = 0, []
    for name in TRACKED:
        path = ROOT / name
        if (
            path.suffix
            in {
                ".py",
                ".md",
                ".toml",
                ".yml",
                ".yaml",
                ".txt",
                ".json",
                ".sh",
                ".html",
                ".css",
                ".csv",
                "",
            }
            and path.is_file()
        ):
            looked += 1
            text = path.read_text(encoding="utf-8", errors="replace")
            if bad.search(text) and name != "tests/architecture/test_house.py":
                wrong.append(name)
    assert looked > 100
    assert wrong == []


def test_migrations_are_linear_and_unmixed():
    # Two heads stop an upgrade at 3 a.m.
    looked = 0
    for member in (
        "services/identity/sebalai_identity",
        "services/services-catalog/sebalai_services_catalog",
        "services/archive/sebalai_archive",
        "services/exchange/sebalai_exchange",
        "gateway/sebalai_gateway",
    ):
        versions = sorted((ROOT / member / "migrations/versions").glob("*.py"))
        downs = [
            re.search(r"down_revision[^=]*= (.*)", v.read_text(encoding="utf-8")).group(1).strip()
            for v in versions
        ]
        looked += len(versions)
        assert len(downs) == len(set(downs)), f"{member} branches"
    assert looked >= 5


def test_the_glossary_holds_every_kept_word_once():
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| `?([^|`]+)`? \|", text, re.MULTILINE)
    words = [
        w.strip() for w in words if w.strip() not in {"word", "---"} and not set(w.strip()) <= {"-"}
    ]
    assert len(words) > 20
    assert len(words) == len(set(words))


def test_every_seeded_application_has_its_key_in_compose():
    # An application added to the seed alone stopped the container that seeds, at start.
    seed = tomllib.loads((ROOT / "deploy/local/sebalai_local/seed.toml").read_text("utf-8"))
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert len(seed["applications"]) >= 5
    for one in seed["applications"]:
        assert f"{one['name']}_key: {{file:" in compose
        assert f"{one['agency']}.{one['name']}.jwk" in compose


def _sql(tree):
    """Texts of a module, an f-string's without what is put in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(p.value) for p in node.values if isinstance(p, ast.Constant))


def test_no_statement_sorts_by_the_text_of_a_number(sources):
    # `SELECT xid::text AS xid … ORDER BY xid` sorts by the text: 1000 before 999. Each time the
    # transaction id grew a digit the relay passed what it had not sent. `ORDER BY table.xid`.
    looked, found = 0, []
    for source in sources:
        for text in _sql(source.tree):
            for name in re.findall(r"::text AS (\w+)", text):
                looked += 1
                if re.search(rf"ORDER BY (?:[^;]*,\s*)?{name}\b", text):
                    found.append((source.name, name))
    assert looked >= 5
    assert found == []
