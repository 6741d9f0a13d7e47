"""The routing table denies by default, says what is missing, and forgives no use of a limit."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sebalai_gateway.admission.token import Claims
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.paths import parse
from sebalai_gateway.routing.table import Table

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
INTERFACE = f"{PROVIDER}/penduduk"
BEGINS = datetime(2026, 11, 24, tzinfo=UTC)
ENDS = BEGINS + timedelta(days=30)
NOON = (BEGINS + timedelta(hours=12)).timestamp()
DAY = 86_400
CLAIMS = Claims(
    iss="i", aud="a", sub="s", client_id="c", jti="j", exp=1, iat=0, kind="system",
    agency="dinsos-pmd", application=CONSUMER,
)  # fmt: skip


def interface(**changed):
    return {
        "id": "i1", "name": INTERFACE, "provider": PROVIDER, "agency": "dp3acskb",
        "addresses": ["http://127.0.0.1:1"],
    } | changed  # fmt: skip


def agreement(**changed):
    return {
        "id": "a1", "consumer": CONSUMER, "interface": INTERFACE,
        "rules": [{"id": "r1", "method": "GET", "path": "/residents/*"}],
        "purposes": [{"code": "verifikasi-bansos", "legal_basis": "UU 11/2009"}],
        "valid_from": BEGINS.isoformat(), "valid_until": ENDS.isoformat(),
        "quota_per_day": 1_000, "rate_per_second": 1, "burst": 1_000,
    } | changed  # fmt: skip


def table(*agreements, interfaces=None, before=None, version=1):
    snapshot = {
        "version": version, "instance": "ID-BB", "agreements": agreements,
        "interfaces": [interface()] if interfaces is None else interfaces,
    }  # fmt: skip
    return Table.build(json.dumps(snapshot).encode(), before)


def decide(table, path="/residents/12", *, method="GET", purpose="verifikasi-bansos", at=NOON,
           name=INTERFACE):  # fmt: skip
    return table.decide(CLAIMS, parse(f"/r1/{name}{path}".encode()), method, purpose, at)


def refusal(table, *arguments, **changed):
    with pytest.raises(Refusal) as caught:
        decide(table, *arguments, **changed)
    return caught.value


def test_agreed_call_is_allowed_and_names_rule_purpose_and_agreement():
    decision = decide(table(agreement()))
    assert decision.rule == "r1"
    assert decision.agreement.id == "a1"
    assert (decision.purpose.code, decision.purpose.legal_basis) == (
        "verifikasi-bansos",
        "UU 11/2009",
    )
    assert decision.interface.name == INTERFACE


def test_unknown_agency_is_404_and_named():
    found = refusal(table(agreement()), name="ID-BB/GOV/bkd/asn/pegawai")
    assert (found.status, found.slug) == (404, "agency-unknown")
    assert "bkd" in found.detail


@pytest.mark.parametrize("state", ["suspended", "withdrawn", "draft", "ACTIVE"])
def test_interface_that_is_not_active_does_not_exist(state):
    other = interface(id="i2", name=f"{PROVIDER}/kartu")
    found = refusal(table(agreement(), interfaces=[interface(state=state), other]))
    assert (found.status, found.slug) == (404, "interface-unknown")
    assert INTERFACE in found.detail


def test_consumer_without_agreement_is_told_how_to_ask_for_one():
    found = refusal(table(agreement(consumer="ID-BB/GOV/bkd/asn")))
    assert (found.status, found.slug) == (403, "agreement-missing")
    assert CONSUMER in found.detail
    assert INTERFACE in found.detail
    assert "POST /api/exchange/v1/agreements" in found.detail
    assert found.rule == f"agreement {CONSUMER} -> {INTERFACE}"


@pytest.mark.parametrize(
    ("at", "slug", "named"),
    [
        (BEGINS.timestamp() - 0.001, "agreement-not-yet-valid", BEGINS.isoformat()),
        (ENDS.timestamp(), "agreement-expired", ENDS.isoformat()),
    ],
)
def test_agreement_outside_its_window_is_refused_with_the_date(at, slug, named):
    found = refusal(table(agreement()), at=at)
    assert (found.status, found.slug) == (403, slug)
    assert named in found.detail
    assert found.context == {"agreement": "a1"}


@pytest.mark.parametrize("at", [BEGINS.timestamp(), ENDS.timestamp() - 0.001])
def test_agreement_holds_from_its_first_to_its_last_moment(at):
    assert decide(table(agreement()), at=at).rule == "r1"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/residents/12"), ("GET", "/residents"), ("GET", "/residents/12/x"),
        ("get", "/residents/12"), ("*", "/residents/12"), ("HEAD", "/residents/12"),
    ],
)  # fmt: skip
def test_call_that_no_rule_allows_is_told_what_is_allowed(method, path):
    found = refusal(table(agreement()), path, method=method)
    assert (found.status, found.slug) == (403, "rule-missing")
    assert "GET /residents/*" in found.detail
    assert method in found.detail
    assert found.rule == "agreement a1"


def test_rule_for_any_method_allows_each():
    rules = [{"id": "all", "method": "*", "path": "/**"}]
    for method in ("GET", "POST", "DELETE", "PROPFIND"):
        assert decide(table(agreement(rules=rules)), "/a/b", method=method).rule == "all"


def test_first_matching_rule_is_the_one_named():
    rules = [
        {"id": "post", "method": "POST", "path": "/**"},
        {"id": "one", "method": "GET", "path": "/residents/*"},
        {"id": "all", "method": "GET", "path": "/**"},
    ]
    assert decide(table(agreement(rules=rules))).rule == "one"


def test_missing_purpose_is_refused_with_those_agreed():
    found = refusal(table(agreement()), purpose=None)
    assert (found.status, found.slug) == (403, "purpose-missing")
    assert "Sebalai-Purpose" in found.detail
    assert "verifikasi-bansos" in found.detail


@pytest.mark.parametrize("purpose", ["", "penagihan", "verifikasi-bansos ", "VERIFIKASI-BANSOS"])
def test_purpose_not_agreed_is_refused_and_not_echoed(purpose):
    found = refusal(table(agreement()), purpose=purpose)
    assert (found.status, found.slug) == (403, "purpose-not-agreed")
    assert "verifikasi-bansos" in found.detail
    assert "penagihan" not in found.detail


def test_one_of_several_agreements_is_enough():
    old = agreement(id="old", valid_until=BEGINS.isoformat())
    other = agreement(id="other", purposes=[{"code": "audit", "legal_basis": "x"}])
    assert decide(table(old, other, agreement())).agreement.id == "a1"


def test_of_several_refusals_the_one_that_came_furthest_is_told():
    old = agreement(id="old", valid_until=BEGINS.isoformat())
    rule = agreement(id="rule", rules=[])
    purpose = agreement(id="purpose", purposes=[])
    for order in ([old, rule, purpose], [purpose, rule, old]):
        assert refusal(table(*order)).slug == "purpose-not-agreed"
    assert refusal(table(rule, old)).slug == "rule-missing"


def test_full_agreement_gives_way_to_another():
    two = table(agreement(id="small", burst=1), agreement(id="large"))
    assert [decide(two).agreement.id for _ in range(3)] == ["small", "large", "large"]


def test_burst_is_spent_then_refilled_at_the_rate():
    slow = table(agreement(burst=2, rate_per_second=0.5))
    decide(slow), decide(slow)
    found = refusal(slow)
    assert (found.status, found.slug) == (429, "rate-exceeded")
    assert found.headers == [(b"retry-after", b"3")]
    assert refusal(slow, at=NOON + 1.9).slug == "rate-exceeded"
    assert decide(slow, at=NOON + 2)
    assert refusal(slow, at=NOON + 2).slug == "rate-exceeded"


def test_refused_call_takes_nothing_from_the_limits():
    single = table(agreement(burst=1))
    refusal(single, method="POST")
    refusal(single, purpose=None)
    assert decide(single)


def test_new_table_forgives_no_use():
    terms = {"burst": 2, "rate_per_second": 0.001}
    first = table(agreement(**terms))
    decide(first), decide(first)
    second = table(agreement(**terms), before=first, version=2)
    assert refusal(second).slug == "rate-exceeded"
    third = table(agreement(**terms | {"rate_per_second": 1}), before=second, version=3)
    assert decide(third, at=NOON + 1)
    assert refusal(third, at=NOON + 1).slug == "rate-exceeded"


def test_smaller_terms_hold_at_once():
    first = table(agreement(burst=100))
    decide(first)
    second = table(agreement(burst=1), before=first)
    assert decide(second)
    assert refusal(second).slug == "rate-exceeded"


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"{}", b'{"version":"1","instance":"x","interfaces":[],"agreements":[]}',
     json.dumps({"version": 1, "instance": "x", "interfaces": [],
                 "agreements": [agreement(rules=[{"id": "r", "method": "GET", "path": "a"}])]},
                ).encode()],
)  # fmt: skip
def test_payload_that_is_no_snapshot_is_refused_whole(payload):
    with pytest.raises(ValueError):
        Table.build(payload)
