"""A table changed step by step decides as one built whole; changes that do not fit change nothing."""

import json
import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey
from sebalai_gateway.admission.token import Claims
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.feed import write_whole
from sebalai_gateway.routing.kept import KeptRoutes
from sebalai_gateway.routing.paths import parse
from sebalai_gateway.routing.table import NotFromHere, Table

BEGINS = datetime(2026, 11, 24, tzinfo=UTC)
NOON = (BEGINS + timedelta(hours=12)).timestamp()
INTERFACES = ["ID-BB/GOV/a/app/one", "ID-BB/GOV/b/app/two"]
APPLICATIONS = ["ID-BB/GOV/c/app", "ID-BB/GOV/d/app"]
GROUP = "ID-BB/GOV/c/app/groups/all"


def interface(name):
    return {
        "id": name, "name": name, "provider": name.rpartition("/")[0],
        "agency": name.split("/")[2], "addresses": ["http://127.0.0.1:1"],
    }  # fmt: skip


def agreement(number, consumer=APPLICATIONS[0], name=INTERFACES[0], method="GET", **changed):
    return {
        "id": number, "series": number, "consumer": consumer, "interface": name,
        "rules": [{"id": f"r-{number}", "method": method, "path": "/**"}],
        "purposes": [{"code": "p", "legal_basis": "UU 11/2009"}],
        "valid_from": BEGINS.isoformat(), "valid_until": (BEGINS + timedelta(days=9)).isoformat(),
        "quota_per_day": 1_000, "rate_per_second": 1_000, "burst": 1_000,
    } | changed  # fmt: skip


def document(version, *, after=0, gone=None, interfaces=(), agreements=(), groups=()):
    whole = {
        "version": version, "instance": "ID-BB", "interfaces": [interface(n) for n in interfaces],
        "agreements": list(agreements), "groups": list(groups),
    }  # fmt: skip
    if after:
        whole |= {"after": after, "gone": gone or {}}
    return json.dumps(whole).encode()


def answers(table):
    """The decision on every call there is here: its rule, or the refusal."""
    found = {}
    for application in APPLICATIONS:
        claims = Claims(
            iss="i", aud="a", sub="s", client_id="c", jti="j", exp=1, iat=0, kind="system",
            agency="c", application=application,
        )  # fmt: skip
        for name in INTERFACES:
            for method in ("GET", "POST"):
                try:
                    target = parse(f"/r1/{name}/x".encode())
                    found[application, name, method] = table.decide(
                        claims, target, method, "p", NOON
                    ).agreement.id
                except Refusal as refusal:
                    found[application, name, method] = refusal.slug
    return found


agreements = st.builds(
    agreement,
    st.sampled_from(["1", "2", "3", "4"]),
    st.sampled_from([*APPLICATIONS, GROUP]),
    st.sampled_from(INTERFACES),
    st.sampled_from(["GET", "POST", "*"]),
)
steps = st.one_of(
    agreements.map(lambda one: ("put", one)),
    st.sampled_from(["1", "2", "3", "4"]).map(lambda number: ("end", number)),
    st.sampled_from(INTERFACES).map(lambda name: ("publish", name)),
    st.sampled_from(INTERFACES).map(lambda name: ("retire", name)),
    st.lists(st.sampled_from(APPLICATIONS), unique=True).map(lambda them: ("group", them)),
)


@given(st.lists(steps, max_size=12))
@settings(max_examples=150)
def test_changed_table_decides_as_the_whole(walk):
    here, offered, members = {}, set(), None
    table, version = Table.build(document(1)), 1
    for step, what in walk:
        change, before, version = {}, version, version + 1
        if step == "put":
            here[what["id"]] = what
            change = {"agreements": [what]}
        elif step == "end":
            here.pop(what, None)
            change = {"gone": {"agreements": [what]}}
        elif step == "publish":
            offered.add(what)
            change = {"interfaces": [what]}
        elif step == "retire":
            offered.discard(what)
            change = {"gone": {"interfaces": [what]}}
        else:
            members = what
            change = {"groups": [{"name": GROUP, "members": what}]}
        table.apply(document(version, after=before, **change))
        groups = [] if members is None else [{"name": GROUP, "members": members}]
        whole = Table.build(
            document(version, interfaces=offered, agreements=here.values(), groups=groups)
        )
        mine, theirs = answers(table), answers(whole)
        assert set(mine) == set(theirs)
        for call, decided in theirs.items():
            # Of several agreements that allow a call, whichever: the order is not promised.
            assert (mine[call] in here) == (decided in here), (call, mine[call], decided)
            if decided not in here:
                assert mine[call] == decided


def test_change_over_a_gap_or_with_a_bad_glob_changes_nothing():
    table = Table.build(document(5, interfaces=INTERFACES, agreements=[agreement("1")]))
    before = answers(table)
    with pytest.raises(NotFromHere):
        table.apply(document(9, after=7, gone={"agreements": ["1"]}))
    bad = agreement("2", rules=[{"id": "r1", "method": "GET", "path": "no-slash"}])
    with pytest.raises(ValueError, match="glob"):
        table.apply(document(6, after=5, gone={"agreements": ["1"]}, agreements=[bad]))
    assert (answers(table), table.version) == (before, 5)


def test_change_told_twice_or_from_further_back_is_harmless():
    table = Table.build(document(5, interfaces=INTERFACES, agreements=[agreement("1")]))
    for _ in range(2):
        table.apply(document(7, after=3, agreements=[agreement("1"), agreement("2", method="*")]))
    assert answers(table)[APPLICATIONS[0], INTERFACES[0], "POST"] == "2"


def test_suspension_forgives_no_use_of_a_rate():
    one = agreement("1", burst=1)
    table = Table.build(document(1, interfaces=INTERFACES, agreements=[one]))
    answers(table)
    table.apply(document(2, after=1, gone={"agreements": ["1"]}))
    table.apply(document(3, after=2, agreements=[agreement("1", burst=1)]))
    assert answers(table)[APPLICATIONS[0], INTERFACES[0], "GET"] == "rate-exceeded"


def test_kept_file_holds_a_whole_and_only_changes_that_continue_it(tmp_path):
    key = ECKey.generate_key("P-256")
    kept = KeptRoutes(tmp_path / "routes.snapshot")
    line = jws.serialize_compact({"alg": "ES256"}, b"{}", key).encode()
    kept.keep(line, 7, 0)
    kept.keep(line, 9, 8)
    assert kept.version == 7
    kept.keep(line, 8, 7)
    kept.keep(line, 9, 6)
    assert (kept.version, len(list(kept.lines()))) == (9, 3)
    kept.keep(line, 12, 0)
    assert list(kept.lines()) == [line]


def test_gateways_in_two_containers_do_not_write_one_draft(tmp_path, monkeypatch):
    path, machine, sync = tmp_path / "routes.snapshot", SimpleNamespace(nodename="1"), os.fsync
    monkeypatch.setattr(os, "uname", lambda: machine)

    def while_the_other_writes(descriptor):
        sync(descriptor)
        if machine.nodename == "1":
            machine.nodename = "2"
            write_whole(path, b"of the other")
            assert path.read_bytes() == b"of the other"

    monkeypatch.setattr(os, "fsync", while_the_other_writes)
    write_whole(path, b"of the first")
    assert path.read_bytes() == b"of the first"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
