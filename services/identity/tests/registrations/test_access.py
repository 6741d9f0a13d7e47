"""Which changes a client makes alone: what holds no more than before, whatever it is made of."""

from hypothesis import given
from hypothesis import strategies as st
from sebalai_identity.applications.actions import ClientSettings
from sebalai_identity.registrations import access
from sebalai_identity.registrations.schema import Plan

ADDRESSES = [f"https://rp.example/{name}" for name in "abc"]
SCOPES = ["openid", "profile", "email"]
GRANTS = ["authorization_code", "refresh_token"]


def some(values):
    return st.lists(st.sampled_from(values), unique=True)


flags = st.booleans()
plans = st.builds(
    lambda scopes, grants, back, bye, par, dpop, name, told: Plan(
        frozenset(scopes),
        ClientSettings(
            kind="external",
            redirect_uris=tuple(back),
            post_logout_redirect_uris=tuple(bye),
            grants=tuple(grants),
            is_par_required=par,
            is_dpop_required=dpop,
            names={"": name},
        ),
        (),
        told,
    ),
    some(SCOPES),
    some(GRANTS),
    some(ADDRESSES),
    some(ADDRESSES),
    flags,
    flags,
    st.sampled_from(["Bansos", "Bank"]),
    st.dictionaries(st.sampled_from(["contacts", "software_version"]), st.text(max_size=3)),
)


def held(plan):
    """What somebody who holds the client can do, one word each; more words are more rights."""
    client = plan.client
    return (
        {f"scope {one}" for one in plan.scopes}
        | {f"grant {one}" for one in client.grants}
        | {f"back {one}" for one in client.redirect_uris}
        | {f"bye {one}" for one in client.post_logout_redirect_uris}
        | {"without par" for _ in range(1) if not client.is_par_required}
        | {"without dpop" for _ in range(1) if not client.is_dpop_required}
        | {f"called {client.names['']}"}
    )


@given(plans, plans)
def test_change_waits_exactly_where_it_gives_more(old, new):
    assert bool(access.widens(old, new)) == (not held(new) <= held(old))


@given(plans)
def test_plan_is_read_as_it_was_written(plan):
    assert Plan.read(plan.document()) == plan


def test_what_people_see_and_what_is_called_waits_by_name():
    old = Plan(frozenset(), ClientSettings(kind="external"), (), {})
    for name in ("client_uri", "logo_uri", "policy_uri", "tos_uri", "jwks_uri",
                 "backchannel_logout_uri", "sector_identifier_uri"):  # fmt: skip
        new = Plan(frozenset(), ClientSettings(kind="external", **{name: ADDRESSES[0]}), (), {})
        assert access.widens(old, new) == [name]
        assert access.widens(new, old) == [name]
