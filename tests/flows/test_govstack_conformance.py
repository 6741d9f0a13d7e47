"""The scenarios of GovStack's own tests of the Information Mediator, one row each.

Written from the features of bb-information-mediator (`test/openAPI/features`, 28 scenarios with
their examples). Their placeholders (`identifier`, `alp4aNum3r1c`, …) are names of a mock; names of
this platform stand in their place. Their steps show no token, for a mock needs none; here each has
one. What a row expects is what the steps ask: status, content type, shape.
"""

import jsonschema_rs
import pytest

from tests.flows.govstack import Program, listener

pytestmark = pytest.mark.flow

JSON = "application/json; charset=utf-8"
TEXT = {"type": "string"}


def only(properties, **more):
    return {"type": "object", "properties": properties, "additionalProperties": False} | more


def listed(item):
    return {"member": {"type": "array", "items": item}}


_NAMES = (
    "serviceType GovStackInstance memberClass memberCode applicationCode serviceCode serviceVersion"
)
_ITEM = only(
    dict.fromkeys(_NAMES.split(), TEXT)
    | {
        "objectType": only({"object_type": {"enum": ["MEMBER", "SUBSYSTEM", "SERVICE"]}}),
        "endpointList": only(listed(only({"method": TEXT, "path": TEXT}))),
    }
)
LIST = jsonschema_rs.validator_for(only(listed(_ITEM), required=["member"]))
CONTRACT = jsonschema_rs.validator_for(TEXT)

# (agency, application, interface, consumer): four that a fresh platform has.
KNOWN = [
    ("dp3acskb", "kependudukan", "penduduk", "dinsos-pmd/bansos"),
    ("diskominfo", "sebalai", "agencies", "diskominfo/portal"),
    ("diskominfo", "sebalai", "services", "diskominfo/portal"),
    ("diskominfo", "sebalai", "calls", "diskominfo/portal"),
]
PROBLEM = "status as asked; a refusal is a problem document"


def _lists(feature, path):
    """The smoke scenario, and the outline with its four examples."""
    smoke = (f"{feature}: smoke", path(KNOWN[0], 0), KNOWN[0][3], 200, LIST, None)
    return [smoke] + [
        (f"{feature}: valid data {n}", path(one, n), one[3], 200, LIST, None)
        for n, one in enumerate(KNOWN, 1)
    ]


def _contract(agency, application, code, instance="ID-BB", group="GOV"):
    query = "" if code is None else f"?serviceCode={code}"
    return f"/{instance}/{group}/{agency}/{application}/getOpenAPI{query}"


def _contracts():
    one = KNOWN[0]
    yield "getOpenAPI: smoke", _contract(*one[:3]), one[3], 200, CONTRACT, None
    for n, one in enumerate(KNOWN, 1):
        yield f"getOpenAPI: valid data {n}", _contract(*one[:3]), one[3], 200, CONTRACT, None
    wrong = [
        ("invalid instance", _contract("dp3acskb", "kependudukan", "penduduk", instance="1nval1d")),
        ("invalid class", _contract("dp3acskb", "kependudukan", "penduduk", group="1nval1d")),
        ("invalid member", _contract("_invalid", "kependudukan", "penduduk")),
        ("invalid application", _contract("dp3acskb", "_invalid", "penduduk")),
        ("all invalid", _contract("_invalid", "_invalid", "penduduk", "1nval1d", "1nval1d")),
        ("invalid serviceCode", _contract("dp3acskb", "kependudukan", "_invalid")),
        ("empty serviceCode", _contract("dp3acskb", "kependudukan", "")),
        ("missing serviceCode", _contract("dp3acskb", "kependudukan", None)),
    ]
    for name, path in wrong:
        yield f"getOpenAPI: {name}", path, KNOWN[0][3], 400, CONTRACT, PROBLEM


SCENARIOS = [
    *_lists("listClients", lambda _, n: f"/listClients?serviceId=s{n}&instanceId=instanceId{n}"),
    *_lists("listMethods", lambda o, n: f"/ID-BB/GOV/{o[0]}/{o[1]}/listMethods?serviceId=s{n}"),
    *_lists(
        "allowedMethods", lambda o, n: f"/ID-BB/GOV/{o[0]}/{o[1]}/allowedMethods?serviceId={n}"
    ),
    *_contracts(),
]


@pytest.fixture(scope="module")
def address(platform):
    with listener(platform) as address:
        yield address


def test_govstacks_scenarios_pass_or_differ_on_purpose(platform, address, capsys):
    lines, passed, differing = [], 0, 0
    for name, path, consumer, status, shape, reason in SCENARIOS:
        answer = Program(platform, address, consumer)("GET", path)
        assert answer.status_code == status, (name, answer.text)
        is_as_asked = shape.is_valid(answer.json())
        is_as_asked &= status != 200 or answer.headers["content-type"] == JSON
        assert is_as_asked == (reason is None), (name, answer.headers, answer.text)
        passed, differing = passed + is_as_asked, differing + (not is_as_asked)
        lines.append(f"{name:34} {'passes' if is_as_asked else f'differs on purpose ({reason})'}")
    assert len(SCENARIOS) == 28
    with capsys.disabled():
        print("", *lines, sep="\n")
        print(f"GovStack: {passed} of {len(lines)} scenarios pass, {differing} differ on purpose")


def test_the_lists_are_not_empty_when_nothing_narrows_them(platform, address):
    """The scenarios' own queries name services that nobody offers: an empty list would pass."""
    program = Program(platform, address, KNOWN[0][3])
    for path in ("/listClients", "/ID-BB/GOV/dp3acskb/kependudukan/listMethods"):
        found = program("GET", path).json()
        assert LIST.is_valid(found)
        assert found["member"], path
    allowed = program("GET", "/ID-BB/GOV/dp3acskb/kependudukan/allowedMethods").json()
    assert "penduduk" in {one["serviceCode"] for one in allowed["member"]}
