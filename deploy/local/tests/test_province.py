"""The seed with and without the demonstration."""

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


def test_platform_json_tells_the_purpose_of_the_example_call(tmp_path):
    told = {one["name"]: one["purpose"] for one in content(Home(tmp_path, 9140))["interfaces"]}
    assert told[full(seed().example.interface)] == seed().example.purpose


def test_govstacks_listener_runs_and_is_told_of_only_when_it_is_asked_for(tmp_path):
    off, on = Home(tmp_path, 9140), Home(tmp_path, 9140, has_govstack=True)
    assert "govstack" not in {*content(off), *(unit.name for unit in units(off))}
    assert content(on)["govstack"] == "http://127.0.0.1:9147"
    assert [unit.ports for unit in units(on) if unit.name == "govstack"] == [(9147,)]
    assert on.environment["SEBALAI_GOVSTACK"] == "on"
