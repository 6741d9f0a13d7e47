"""Walls between slices of one member, and the direction of imports inside one.

A graph test, because import-linter's wildcard contracts miss imports between siblings.
"""

LEVEL = {
    "api": 4,
    "jobs": 4,
    "actions": 3,
    "events": 3,
    "access": 2,
    "store": 2,
    "schema": 1,
    "model": 1,
}
OPEN = {"actions", "events"}
SERVICES = {"sebalai_identity", "sebalai_services_catalog", "sebalai_archive", "sebalai_exchange"}


def _slices(sources):
    """member.slice packages that hold at least one of a slice's files."""
    return {
        s.name.rsplit(".", 1)[0]
        for s in sources
        if s.member in SERVICES and s.name.count(".") == 2 and s.name.split(".")[2] in LEVEL
    }


def _place(dotted, slices):
    """(slice, file) of a dotted name, or None when it lies outside every slice."""
    parts = dotted.split(".")
    slice_name = ".".join(parts[:2])
    if slice_name not in slices or len(parts) < 3:
        return None
    return slice_name, parts[2]


def _crossings(sources):
    slices = _slices(sources)
    assert len(slices) >= 10, "the rule looked at too little"
    for source in sources:
        here = _place(source.name, slices)
        for imported, line in source.imports() if here else ():
            there = _place(imported, slices)
            if there and not source.excuses("slice", line):
                yield source, here, there, line


def test_a_slice_uses_only_actions_and_events_of_another(sources):
    wrong = [
        f"{source.name}:{line} imports {there[0]}.{there[1]}"
        for source, here, there, line in _crossings(sources)
        if here[0] != there[0] and there[1] not in OPEN
    ]
    assert wrong == []


def test_imports_inside_a_slice_go_down(sources):
    wrong = [
        f"{source.name}:{line} imports {there[1]}"
        for source, here, there, line in _crossings(sources)
        if here[0] == there[0] and LEVEL.get(here[1], 9) < LEVEL.get(there[1], 0)
    ]
    assert wrong == []


def test_slices_form_no_cycle(sources):
    edges = {}
    for _, here, there, _ in _crossings(sources):
        if here[0] != there[0]:
            edges.setdefault(here[0], set()).add(there[0])

    def reaches(start, goal, seen):
        for step in edges.get(start, ()):
            if step == goal or (step not in seen and reaches(step, goal, seen | {step})):
                return True
        return False

    assert [name for name in edges if reaches(name, name, {name})] == []
