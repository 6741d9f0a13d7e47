"""The seed with and without the demonstration."""

from sebalai_local.home import Home
from sebalai_local.platform_file import content
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
    assert len(platform.agreements) == 3
    assert (whole.has_example, platform.has_example) == (True, False)
    assert len(platform.applications) < len(whole.applications)


def test_platform_json_tells_the_purpose_of_the_example_call(tmp_path):
    told = {one["name"]: one["purpose"] for one in content(Home(tmp_path, 9140))["interfaces"]}
    assert told[full(seed().example.interface)] == seed().example.purpose
