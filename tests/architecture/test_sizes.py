"""Small files and functions: a file of 2,000 lines is where a second and third reason to change hide."""

import ast

FILE_LINES = 500
FUNCTION_LINES = 70
SHARED_LINES, SHARED_PERCENT = 2_500, 8  # of the whole: the larger holds
SHARED_FILE_LINES = 300
VAGUE = {"utils", "util", "helpers", "common", "misc", "service", "manager"}


def test_no_file_is_over_its_limit(sources):
    large = [(s.name, s.lines) for s in sources if s.lines > FILE_LINES]
    assert large == []


def test_no_function_is_over_its_limit(sources):
    looked, long = 0, []
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                looked += 1
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > FUNCTION_LINES and not source.excuses("long", node.lineno):
                    long.append((source.name, node.name, length))
    assert looked > 300
    assert long == []


def test_shared_stays_within_its_budget(sources):
    shared = [s for s in sources if s.member == "sebalai_shared"]
    whole = sum(s.lines for s in sources)
    assert sum(s.lines for s in shared) <= max(SHARED_LINES, whole * SHARED_PERCENT // 100)
    assert [(s.name, s.lines) for s in shared if s.lines > SHARED_FILE_LINES] == []


def test_each_shared_module_serves_two_members_or_shared_itself(sources):
    users = {}
    for source in sources:
        for imported, _ in source.imports():
            if imported.startswith("sebalai_shared."):
                module = ".".join(imported.split(".")[:2])
                users.setdefault(module, set()).add(
                    source.name if source.member == "sebalai_shared" else source.member
                )
    modules = {
        s.name
        for s in sources
        if s.member == "sebalai_shared" and s.name.count(".") == 1 and "testing" not in s.name
    }
    assert len(modules) > 15
    lonely = {name for name in modules if len(users.get(name, set()) - {name}) < 2}
    assert lonely == set()


def test_no_module_has_a_vague_name(sources):
    vague = [s.name for s in sources if VAGUE & set(s.name.split("."))]
    assert vague == []
