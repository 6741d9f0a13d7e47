"""Who may call what: each denial names what is missing; rates and quotas outlive a new table."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from sebalai_gateway.admission.token import Claims
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.paths import parse
from sebalai_gateway.routing.table import Table

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
PROVIDER, CONSUMER = "ID-BB/GOV/dp3acskb/kependudukan", "ID-BB/GOV/dinsos-pmd/bansos"
NAME = f"{PROVIDER}/penduduk"


def claims(application=CONSUMER):
    return Claims(
        iss="i", aud="a", sub="c", client_id="c", jti="j", exp=0, iat=0, kind="system",
        agency=application.split("/")[2], application=application, scope="bus.call",
    )  # fmt: skip


def agreement(**changed):
    return {
        "id": "a1", "consumer": CONSUMER, "interface": NAME,
        "rules": [
            {"id": "r1", "method": "GET", "path": "/residents/*"},
            {"id": "r2", "method": "*", "path": "/search/**"},
        ],
        "purposes": [{"code": "verifikasi", "legal_basis": "UU 13/2011"}],
        "valid_from": (NOW - timedelta(days=1)).isoformat(),
        "valid_until": (NOW + timedelta(days=1)).isoformat(),
        "quota_per_day": 100, "rate_per_second": 10, "burst": 5,
    } | changed  # fmt: skip


def table(*agreements, version=1, before=None, state="active"):
    interface = {
        "id": "i1", "name": NAME, "provider": PROVIDER, "agency": "dp3acskb",
        "addresses": ["http://127.0.0.1:1"], "state": state,
    }  # fmt: skip
    document = {
        "version": version, "instance": "ID-BB", "interfaces": [interface],
        "agreements": list(agreements),
    }  # fmt: skip
    return Table.build(orjson.dumps(document), before)


def decide(routes, path="/residents/1", method="GET", purpose="verifikasi", **more):
    target = parse(f"/r1/{more.get('name', NAME)}{path}".encode())
    at = more.get("at", NOW).timestamp()
    return routes.decide(claims(more.get("caller", CONSUMER)), target, method, purpose, at)


def denied(routes, slug, status, **how):
    with pytest.raises(Refusal) as caught:
        decide(routes, **how)
    assert (caught.value.slug, caught.value.status) == (slug, status)
    assert caught.value.detail.endswith(".")
    return caught.value


def test_an_allowed_call_names_its_rule_and_purpose():
    decision = decide(table(agreement()))
    assert (decision.rule, decision.purpose.legal_basis) == ("r1", "UU 13/2011")
    assert decide(table(agreement()), "/search/a/b", "POST").rule == "r2"


def test_without_an_agreement_the_refusal_names_both_sides():
    refusal = denied(table(), "agreement-missing", 403)
    assert CONSUMER in refusal.detail
    assert NAME in refusal.detail


def test_another_application_of_the_same_agency_has_no_agreement():
    denied(table(agreement()), "agreement-missing", 403, caller="ID-BB/GOV/dinsos-pmd/lain")


def test_unknown_agencies_and_interfaces_are_told_apart():
    denied(table(), "agency-unknown", 404, name="ID-BB/GOV/hantu/x/y")
    denied(table(), "interface-unknown", 404, name=f"{PROVIDER}/lain")


def test_a_retired_interface_is_gone():
    denied(table(agreement(), state="retired"), "agency-unknown", 404)


def test_an_agreement_holds_between_its_dates_only():
    routes = table(agreement())
    begin, end = NOW - timedelta(days=1), NOW + timedelta(days=1)
    denied(routes, "agreement-not-yet-valid", 403, at=begin - timedelta(seconds=1))
    decide(routes, at=begin)
    decide(routes, at=end - timedelta(seconds=1))
    denied(routes, "agreement-expired", 403, at=end)


def test_method_and_path_outside_the_rules_are_refused_with_the_rules():
    refusal = denied(table(agreement()), "rule-missing", 403, method="DELETE")
    assert "GET /residents/*" in refusal.detail
    denied(table(agreement()), "rule-missing", 403, path="/residents/1/history")


@pytest.mark.parametrize(("purpose", "slug"), [(None, "missing"), ("lain", "not-agreed")])
def test_a_purpose_is_required_and_must_be_agreed(purpose, slug):
    refusal = denied(table(agreement()), f"purpose-{slug}", 403, purpose=purpose)
    assert "verifikasi" in refusal.detail


def test_of_several_agreements_the_first_that_allows_wins():
    expired = agreement(id="old", valid_until=(NOW - timedelta(hours=1)).isoformat())
    assert decide(table(expired, agreement())).agreement.id == "a1"


def test_of_several_refusals_the_most_telling_is_given():
    expired = agreement(id="old", valid_until=(NOW - timedelta(hours=1)).isoformat())
    denied(table(expired, agreement()), "purpose-not-agreed", 403, purpose="lain")


def test_a_burst_is_spent_and_comes_back_with_time():
    routes = table(agreement())
    for _ in range(5):
        decide(routes)
    refusal = denied(routes, "rate-exceeded", 429)
    assert dict(refusal.headers)[b"retry-after"] == b"1"
    decide(routes, at=NOW + timedelta(seconds=0.2))


def test_a_quota_is_of_the_day():
    routes = table(agreement(quota_per_day=2))
    decide(routes)
    decide(routes)
    denied(routes, "quota-exceeded", 429)
    decide(routes, at=NOW + timedelta(hours=16))


def test_a_refused_call_costs_no_quota():
    routes = table(agreement(quota_per_day=1))
    denied(routes, "purpose-missing", 403, purpose=None)
    decide(routes)


def test_a_new_table_forgives_nothing():
    first = table(agreement(quota_per_day=2))
    decide(first)
    decide(first)
    second = table(agreement(quota_per_day=2), version=2, before=first)
    denied(second, "quota-exceeded", 429)


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b'{"version": "x"}'])
def test_what_is_not_a_snapshot_is_refused(payload):
    with pytest.raises(ValueError):
        Table.build(payload)
