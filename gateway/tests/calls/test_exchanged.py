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


BUSINESS, NIB = "0199b7a0-0000-7000-8000-000000000001", "8120001234567"
ACTING = {"business": BUSINESS, "nib": NIB, "representation": "r", "matters": ["izin"]}
PARTY = f"COM/{NIB}"


@pytest.mark.parametrize("said", [{}, {"X-Road-Represented-Party": PARTY}])
async def test_provider_learns_for_whom_the_person_acts_and_evidence_keeps_no_number(
    bus, provider, said
):
    bus.bear(sub="person", act={"sub": "c"}, acting_for=ACTING)
    async with bus.call(headers=bus.headers(**said)) as answer:
        assert answer.status == 200
    seen = provider.seen[-1].headers
    for name in ("Sebalai-Represented-Party", "X-Road-Represented-Party"):
        assert seen.getall(name) == [PARTY]
    record = await bus.record()
    assert record["acting_for"] == BUSINESS
    assert NIB not in str(record)


@pytest.mark.parametrize("party", ["COM/9120001234567", NIB, "GOV/dinsos-pmd", ""])
async def test_another_party_than_the_tokens_is_refused(bus, provider, party):
    bus.bear(sub="person", act={"sub": "c"}, acting_for=ACTING)
    async with bus.call(headers=bus.headers(**{"X-Road-Represented-Party": party})) as answer:
        problem = await answer.json(content_type=None)
    assert (answer.status, problem["type"].rpartition(":")[2]) == (
        403,
        "represented-party-mismatch",
    )
    assert not provider.seen


async def test_nobodys_word_passes_for_the_gateways(bus, provider):
    """Without a token that says so the header of X-Road goes on as it came, and vouches nothing."""
    said = {"X-Road-Represented-Party": PARTY, "Sebalai-Represented-Party": PARTY}
    async with bus.call(headers=bus.headers(**said)) as answer:
        assert answer.status == 200
    seen = provider.seen[-1].headers
    assert seen.getall("X-Road-Represented-Party") == [PARTY]
    assert "Sebalai-Represented-Party" not in seen
    assert "acting_for" not in await bus.record()


async def test_member_learns_for_whom(bus, provider):
    bus.bear(sub="person", act={"sub": "c"}, acting_for=ACTING)
    async with bus.call(interface="anggota") as answer:
        await answer.read()
    part = provider.seen[-1].headers["Sebalai-Caller"].split(".")[1]
    caller = json.loads(base64.urlsafe_b64decode(part + "=="))
    assert (caller["sub"], caller["acting_for"], caller["matters"]) == (
        "person", BUSINESS, ["izin"],
    )  # fmt: skip
