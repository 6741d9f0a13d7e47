"""The seed with and without the demonstration."""

from sebalai_local.applications import Application, is_new
from sebalai_local.home import Home
from sebalai_local.platform_file import content
from sebalai_local.processes import units
from sebalai_local.province import PLATFORM_AGENCY, full, seed


def test_platform_alone_keeps_what_the_portal_needs_and_nothing_of_the_demonstration():
    whole, platform = seed(), seed().platform_only()
    assert {one.agency for one in platform.applications} == {PLATFORM_AGENCY}
    assert {one.member for one in platform.interfaces} == {
        "identity",
        "catalog",
        "archive",
        "exchange",
    }
    assert {one.consumer for one in platform.agreements} == {"diskominfo/portal"}
    assert len(platform.agreements) == 4
    assert (whole.has_example, platform.has_example) == (True, False)
    assert len(platform.applications) < len(whole.applications)


def test_portal_alone_signs_people_in_and_gets_them_back_at_the_platforms_address():
    clients = {one.short: one.client_at("http://127.0.0.1:9140/") for one in seed().applications}
    assert {short for short, client in clients.items() if client} == {"diskominfo/portal"}
    assert clients["diskominfo/portal"] == {
        "kind": "portal", "redirect_uris": ["http://127.0.0.1:9140/masuk/kembali"],
    }  # fmt: skip


def test_what_signs_people_in_since_is_registered_once_more(tmp_path):
    home = Home(tmp_path, 9140)
    portal = next(one for one in seed().applications if one.kind)
    before = Application(
        name=portal.name, agency=portal.agency, identifier="", client_id="", key_file=""
    )
    now = before.model_copy(
        update={"client": portal.client_at(home.issuer), "scopes": portal.scopes}
    )
    assert is_new(home, portal, {})
    assert is_new(home, portal, {portal.short: before})
    assert not is_new(home, portal, {portal.short: now})
    assert is_new(Home(tmp_path, 9240), portal, {portal.short: now})


def test_what_has_got_another_scope_since_is_registered_once_more(tmp_path):
    home = Home(tmp_path, 9140)
    archivist = next(one for one in seed().applications if one.short == "dkpus/arsip")
    now = Application(
        name=archivist.name, agency=archivist.agency, identifier="", client_id="", key_file="",
        scopes=archivist.scopes,
    )  # fmt: skip
    unknown = now.model_copy(update={"scopes": None})
    fewer = now.model_copy(update={"scopes": ["bus.call", "archive.write"]})
    assert not is_new(home, archivist, {archivist.short: now})
    assert is_new(home, archivist, {archivist.short: fewer})
    assert is_new(home, archivist, {archivist.short: unknown})


def test_platform_json_tells_the_purpose_of_the_example_call(tmp_path):
    told = {one["name"]: one["purpose"] for one in content(Home(tmp_path, 9140))["interfaces"]}
    assert told[full(seed().example.interface)] == seed().example.purpose


def test_govstacks_listener_runs_and_is_told_of_only_when_it_is_asked_for(tmp_path):
    off, on = Home(tmp_path, 9140), Home(tmp_path, 9140, has_govstack=True)
    assert "govstack" not in {*content(off), *(unit.name for unit in units(off))}
    assert content(on)["govstack"] == "http://127.0.0.1:9147"
    assert [unit.ports for unit in units(on) if unit.name == "govstack"] == [(9147,)]
    assert on.environment["SEBALAI_GOVSTACK"] == "on"
