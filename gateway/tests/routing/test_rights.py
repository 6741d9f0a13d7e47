"""What binds an agreement besides its rules: addresses, certificates, assurance, groups."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sebalai_gateway.admission.token import Claims
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.paths import parse
from sebalai_gateway.routing.table import Presented, Table

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
GROUP = "ID-BB/GOV/dinkes/koordinasi/groups/puskesmas"
INTERFACE = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
BEGINS = datetime(2026, 11, 24, tzinfo=UTC)
NOON = (BEGINS + timedelta(hours=12)).timestamp()
CLAIMS = Claims(
    iss="i", aud="a", sub="s", client_id="c", jti="j", exp=1, iat=0, kind="system",
    agency="dinsos-pmd", application=CONSUMER,
)  # fmt: skip


def table(before=None, groups=(), **changed):
    agreement = {
        "id": "a1", "series": "s1", "consumer": CONSUMER, "interface": INTERFACE,
        "rules": [{"id": "r1", "method": "GET", "path": "/**"}],
        "purposes": [{"code": "p", "legal_basis": "UU 11/2009"}],
        "valid_from": BEGINS.isoformat(), "valid_until": (BEGINS + timedelta(days=90)).isoformat(),
        "quota_per_day": 1_000, "rate_per_second": 100, "burst": 1_000,
    } | changed  # fmt: skip
    interface = {
        "id": "i1", "name": INTERFACE, "provider": INTERFACE.rpartition("/")[0],
        "agency": "dp3acskb", "addresses": ["http://127.0.0.1:1"],
    }  # fmt: skip
    document = {
        "version": 1, "instance": "ID-BB", "interfaces": [interface], "agreements": [agreement],
        "groups": list(groups),
    }  # fmt: skip
    return Table.build(json.dumps(document).encode(), before)


def decide(table, *, presented=None, claims=CLAIMS, at=NOON):
    target = parse(f"/r1/{INTERFACE}/x".encode())
    return table.decide(claims, target, "GET", "p", at, presented or Presented())


def slug(table, **how):
    with pytest.raises(Refusal) as caught:
        decide(table, **how)
    assert caught.value.context == {"agreement": "a1"}
    return caught.value.slug


@pytest.mark.parametrize("address", ["10.8.3.4", "::ffff:10.8.3.4", "2001:db8::7"])
def test_call_from_an_agreed_address_is_allowed(address):
    bound = table(bound_addresses=["10.8.0.0/16", "2001:db8::/32"])
    assert decide(bound, presented=Presented(address)).rule == "r1"


@pytest.mark.parametrize("address", ["10.9.0.1", "unix", None, ""])
def test_call_from_elsewhere_is_refused(address):
    bound = table(bound_addresses=["10.8.0.0/16"])
    assert slug(bound, presented=Presented(address)) == "address-not-agreed"


def test_certificate_must_be_one_of_those_agreed():
    bound = table(bound_certificates=["a" * 64])
    assert slug(bound) == "certificate-not-agreed"
    assert slug(bound, presented=Presented(certificate="b" * 64)) == "certificate-not-agreed"
    assert decide(bound, presented=Presented(certificate="a" * 64)).rule == "r1"


@pytest.mark.parametrize("acr", ["", "urn:sebalai:acr:1", "urn:sebalai:acr:9", "2", "3x"])
def test_person_recognised_too_weakly_is_told_what_to_ask_for(acr):
    claims = msgspec.structs.replace(CLAIMS, acr=acr)
    with pytest.raises(Refusal) as caught:
        decide(table(min_assurance=2), claims=claims) if acr != "2" else decide(
            table(min_assurance=3), claims=claims
        )
    assert (caught.value.slug, caught.value.status) == ("assurance-too-low", 401)
    name, challenge = caught.value.headers[0]
    assert name == b"www-authenticate"
    assert challenge.startswith(b'Bearer error="insufficient_user_authentication", acr_values=')


def test_step_up_of_a_bound_token_is_asked_for_in_its_own_scheme():
    claims = msgspec.structs.replace(CLAIMS, acr="urn:sebalai:acr:1", cnf={"jkt": "k"})
    with pytest.raises(Refusal) as caught:
        decide(table(min_assurance=3), claims=claims)
    assert caught.value.headers[0][1] == (
        b'DPoP algs="ES256", error="insufficient_user_authentication",'
        b' acr_values="urn:sebalai:acr:3"'
    )


def test_person_recognised_well_enough_is_allowed():
    claims = msgspec.structs.replace(CLAIMS, acr="urn:sebalai:acr:3")
    assert decide(table(min_assurance=2), claims=claims).rule == "r1"


def test_call_refused_for_its_binding_is_not_counted():
    bound = table(bound_addresses=["10.8.0.0/16"], burst=1)
    assert slug(bound, presented=Presented("10.9.0.1")) == "address-not-agreed"
    assert decide(bound, presented=Presented("10.8.0.1")).rule == "r1"


def test_new_version_of_an_agreement_forgives_no_use():
    before = table(burst=1)
    decide(before)
    assert slug(table(before, burst=1, id="a1")) == "rate-exceeded"
    with pytest.raises(Refusal) as caught:
        decide(table(before, burst=2, id="a2"))
    assert caught.value.slug == "rate-exceeded"


def test_group_serves_those_who_joined_each_with_its_own_limits():
    groups = [{"name": GROUP, "members": [CONSUMER, "ID-BB/GOV/dinkes/puskesmas"]}]
    joined = table(groups=groups, consumer=GROUP, burst=1)
    mate = msgspec.structs.replace(CLAIMS, application="ID-BB/GOV/dinkes/puskesmas")
    assert decide(joined).agreement.consumer == GROUP
    assert decide(joined, claims=mate).rule == "r1"
    assert slug(joined) == "rate-exceeded"
    with pytest.raises(Refusal) as caught:
        decide(table(consumer=GROUP))
    assert caught.value.slug == "agreement-missing"
