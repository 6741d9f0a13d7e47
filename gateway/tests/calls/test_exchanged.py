"""A token exchanged for one interface and purpose opens that call and no other; a person's own token
never passes the bus.
"""

import pytest

OWN = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"


async def answered(bus):
    async with bus.call() as answer:
        return answer.status, (await answer.json(content_type=None) if answer.status >= 400 else {})


async def test_exchanged_token_opens_its_own_call(bus):
    bus.bear(sub="person", interface=OWN, purpose="verifikasi-bansos", act={"sub": "c"})
    assert (await answered(bus))[0] == 200


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
