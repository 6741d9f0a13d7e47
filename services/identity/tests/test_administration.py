"""The policies of administration: who may, by which of them, and that two are never one hand."""

from typing import get_args

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_identity import administration
from sebalai_identity.administration import Action, Hand, decide
from sebalai_identity.duties import system_of
from sebalai_shared.caller import ANONYMOUS, Caller

ACTIONS = get_args(Action)
DECIDING = [action for action in ACTIONS if action.startswith("decide-")]
SCOPES = ["identity.clients", "identity.roles", "exchange.manage", "platform.operate", "bus.call"]
CALLERS = st.builds(
    Caller,
    kind=st.sampled_from(["system", "civil_servant", "citizen"]),
    subject=st.sampled_from(["one", "two", "three"]),
    agency=st.none() | st.sampled_from(["dinkes", "diskominfo"]),
    scopes=st.frozensets(st.sampled_from(SCOPES)),
)
AGENCIES = st.none() | st.sampled_from(["dinkes", "diskominfo"])


def person(*scopes, subject="one", agency=None):
    kind = "civil_servant"
    return Caller(kind=kind, subject=subject, agency=agency, scopes=frozenset(scopes))


def system(*scopes, subject="s1", agency="dinkes"):
    return Caller(kind="system", subject=subject, agency=agency, scopes=frozenset(scopes))


APPROVER, KEEPER, OPERATOR = (
    person("identity.clients"), person("identity.roles"), person("platform.operate"),
)  # fmt: skip
TABLE = [
    # action, caller, what else is known, allowed, by which policy
    ("decide-client", APPROVER, {}, True, "approvers-keep-clients"),
    ("decide-client", OPERATOR, {}, True, "operator-administers"),
    ("decide-client", person("exchange.manage"), {}, False, "nothing-permits-it"),
    ("decide-client", APPROVER, {"hands": [Hand("one")]}, False, "nobody-decides-on-their-own-wish"),
    ("decide-client", OPERATOR, {"hands": [Hand("one")]}, False, "nobody-decides-on-their-own-wish"),
    ("decide-client", APPROVER, {"hands": [Hand("two"), Hand(None)]}, True, "approvers-keep-clients"),
    ("decide-client", system("identity.clients"), {"hands": [Hand("s2", "dinkes")]}, False,
     "no-system-decides-on-its-offices-wish"),
    ("decide-client", system("identity.clients"), {"hands": [Hand("s2", "dinsos-pmd")]}, True,
     "approvers-keep-clients"),
    ("decide-client", person("identity.clients", agency="dinkes"), {"hands": [Hand("s2", "dinkes")]},
     True, "approvers-keep-clients"),
    ("ask-client", system(), {"agency": "dinkes"}, True, "agency-asks-for-its-own-client"),
    ("ask-client", system(), {"agency": "dinsos-pmd"}, False, "nothing-permits-it"),
    ("ask-client", person(), {}, False, "nothing-permits-it"),
    ("issue-initial-token", system("exchange.manage"), {"agency": "dinkes"}, True,
     "administrator-lets-own-clients-register"),
    ("issue-initial-token", system("exchange.manage"), {"agency": "dinsos-pmd"}, False,
     "nothing-permits-it"),
    ("issue-initial-token", system(), {"agency": "dinkes"}, False, "nothing-permits-it"),
    ("see-initial-tokens", system("exchange.manage"), {"agency": "dinkes"}, False, "nothing-permits-it"),
    ("keep-outside-providers", APPROVER, {}, True, "approvers-keep-clients"),
    ("decide-outside-provider", KEEPER, {}, False, "nothing-permits-it"),
    ("grant-role", KEEPER, {"subject_of": "two"}, True, "keepers-keep-roles"),
    ("grant-role", KEEPER, {"subject_of": "one"}, False, "nobody-grants-to-themself"),
    ("decide-role", OPERATOR, {"subject_of": "one"}, False, "nobody-grants-to-themself"),
    ("keep-roles", APPROVER, {}, False, "nothing-permits-it"),
    ("see-clients", ANONYMOUS, {}, False, "nothing-permits-it"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "caller", "known", "is_allowed", "rule"), TABLE)
def test_decision_and_the_policy_it_names(action, caller, known, is_allowed, rule):
    found = decide(action, caller, **known)
    assert (found.is_allowed, found.rule) == (is_allowed, rule)


def policies():
    return administration._text("administration.cedar")


def test_each_policy_has_a_name_of_its_own_and_decides_in_the_table():
    names = [line.split('"')[1] for line in policies().splitlines() if line.startswith("@id")]
    assert len(names) == len(set(names)) == policies().count(";\n\n") + 1
    assert set(names) | {administration.DEFAULT} == {row[4] for row in TABLE}


def test_policies_are_of_the_schema_and_the_schema_of_the_actions():
    schema = administration._text("administration.cedarschema")
    assert cedarpy.validate_policies(policies(), schema).validation_passed
    assert all(f'"{action}"' in schema for action in ACTIONS)


@given(CALLERS, st.sampled_from(ACTIONS), AGENCIES)
def test_without_a_scope_or_an_agency_of_their_own_nobody_may_anything(caller, action, agency):
    bare = Caller(kind=caller.kind, subject=caller.subject, scopes=frozenset({"bus.call"}))
    assert not decide(action, bare, agency=agency).is_allowed


@given(CALLERS, CALLERS, st.sampled_from(DECIDING), AGENCIES)
def test_one_hand_never_decides_twice(asker, decider, action, agency):
    hand = Hand(asker.subject, system_of(asker))
    found = decide(action, decider, agency=agency, hands=[hand])
    is_one_office = (
        asker.kind == decider.kind == "system"
        and asker.agency == decider.agency
        and asker.agency is not None
    )
    is_one_hand = asker.subject == decider.subject or is_one_office
    assert found.is_allowed == (not is_one_hand and decide(action, decider).is_allowed)


@given(CALLERS, st.sampled_from(ACTIONS), AGENCIES, st.text(max_size=20))
def test_whoever_they_are_a_decision_is_had_and_none_is_broken(caller, action, agency, subject):
    named = Caller(
        kind=caller.kind, subject=subject, agency=subject or None, scopes=frozenset({subject})
    )
    found = decide(action, named, agency=agency, hands=[Hand(subject, subject)], subject_of=subject)
    assert found.rule != administration.BROKEN
    assert not found.is_allowed or subject in {*SCOPES, agency}


def test_policy_that_cannot_be_evaluated_denies(monkeypatch):
    """Cedar skips it, and with a `forbid` what it forbids."""
    broken = "permit(principal, action, resource); forbid(principal, action, resource) when"
    broken = cedarpy.PolicySet.from_str(f"{broken} {{ principal.agency == principal.agency }};")
    monkeypatch.setattr(administration, "_policies", lambda: broken)
    found = decide("see-clients", person("identity.clients"))
    assert (found.is_allowed, found.rule) == (False, administration.BROKEN)
