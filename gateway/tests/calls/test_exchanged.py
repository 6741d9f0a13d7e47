"""A token exchanged for one interface and purpose opens that call and no other; a person's own token
never passes the bus.
"""

import base64
import json

import pytest

OWN = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"


async def answered(bus):
    async with bus.call() as answer:
        return answer.status, (await answer.json(content_type=None) if answer.status >= 400 else {})


async def test_exchanged_token_opens_its_own_call(bus):
    bus.bear(sub="person", interface=OWN, purpose="verifikasi-bansos", act={"sub": "c"})
    assert (await answered(bus))[0] == 200


async def test_member_learns_how_surely_the_person_behind_an_application_was_recognised(
    bus, provider
):
    bus.bear(sub="person", act={"sub": "c"}, acr="urn:sebalai:acr:2", auth_time=1_700_000_000)
    async with bus.call(interface="anggota") as answer:
        await answer.read()
    part = provider.seen[-1].headers["Sebalai-Caller"].split(".")[1]
    caller = json.loads(base64.urlsafe_b64decode(part + "=="))
    assert (caller["acr"], caller["auth_time"]) == ("urn:sebalai:acr:2", 1_700_000_000)


@pytest.mark.parametrize(
    ("claims", "status", "slug"),
    [
        ({"interface": f"{OWN}-lain"}, 403, "token-interface"),
        ({"interface": OWN, "purpose": "lain"}, 403, "token-purpose"),
        ({"kind": "citizen", "agency": "", "application": ""}, 401, "token-kind"),
        ({"kind": "civil_servant"}, 401, "token-kind"),
        ({"kind": "operator"}, 401, "token-kind"),
    ],
)
async def test_other_calls_are_refused_by_name(bus, claims, status, slug):
    bus.bear(**claims)
    found, problem = await answered(bus)
    assert (found, problem["type"]) == (status, f"urn:sebalai:problem:{slug}")
