"""The tree as data: members, their modules, and the imports between them."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = {
    "sebalai_shared": ROOT / "shared",
    "sebalai_gateway": ROOT / "gateway",
    "sebalai_identity": ROOT / "services/identity",
    "sebalai_services_catalog": ROOT / "services/services-catalog",
    "sebalai_archive": ROOT / "services/archive",
    "sebalai_exchange": ROOT / "services/exchange",
    "sebalai_portal": ROOT / "portal",
    "sebalai_verifier": ROOT / "verifier",
    "sebalai_local": ROOT / "deploy/local",
}


@dataclass(frozen=True)
class Source:
    """One module: its dotted name, its file, its text and its parsed tree."""

    name: str
    path: Path
    text: str

    @property
    def tree(self):
        return ast.parse(self.text)

    @property
    def member(self):
        return self.name.split(".")[0]

    @property
    def lines(self):
        return self.text.count("\n") + 1

    def imports(self):
        """Dotted names this module imports, with the line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, node.lineno
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module, node.lineno
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node.lineno

    def excuses(self, rule, line):
        """An escape stands on the line itself: `# house: <rule> - reason`."""
        return f"# house: {rule} - " in self.text.splitlines()[line - 1]


def _sources():
    for package, folder in MEMBERS.items():
        for path in sorted((folder / package).rglob("*.py")):
            if "versions" in path.parts:
                continue
            dotted = ".".join(path.relative_to(folder).with_suffix("").parts)
            yield Source(dotted.removesuffix(".__init__"), path, path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def sources():
    found = list(_sources())
    assert len(found) > 50, "the rules looked at too little"
    assert {source.member for source in found} == set(MEMBERS)
    return found
