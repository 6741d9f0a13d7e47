"""Calls for a business that pass between instances: the journal here names it by the other's id."""

import os
import time

import orjson
import pytest
from joserfc.jwk import ECKey
from sebalai_shared.signatures import Message, Terms, sign

THERE, HERE = "ID-BK/GOV/dinkes/puskesmas", "ID-BB/GOV/dp3acskb/kependudukan"
BUSINESS, NIB = "0199b7a0-0000-7000-8000-000000000001", "8120001234567"
PARTY = f"COM/{NIB}"
ACTING = {"business": BUSINESS, "nib": NIB, "representation": "r"}
KEY = ECKey.generate_key("P-256")
FOR_BUSINESS = {
    "sebalai-represented-party": PARTY, "x-road-represented-party": PARTY,
    "sebalai-acting-for": BUSINESS,
}  # fmt: skip


def _change(bus, **more):
    head = {"version": bus.table.version + 1, "after": bus.table.version, "instance": "ID-BB"}
    bus.table.apply(orjson.dumps(head | {"interfaces": [], "agreements": []} | more))


@pytest.fixture
def regency(bus):
    """Another instance that is named here, and an application of it with agreements."""
    offers = [f"{HERE}/penduduk", f"{HERE}/anggota"]
    public = KEY.as_dict(private=False) | {"kid": KEY.thumbprint()}
    agreements = [
        {"id": f"guest-{name}", "consumer": THERE, "interface": name,
         "rules": [{"id": "r1", "method": "*", "path": "/**"}],
         "purposes": [{"code": "rujukan", "legal_basis": "l"}],
         "valid_from": "2020-01-01T00:00:00Z", "valid_until": "2100-01-01T00:00:00Z",
         "quota_per_day": 100, "rate_per_second": 100, "burst": 100}
        for name in offers
    ]  # fmt: skip
    peer = {"instance": "ID-BK", "gateway": "http://x", "keys": [public], "offers": offers}
    _change(bus, agreements=agreements, peers=[peer])


def signed(path, said):
    headers = {"x-road-client": THERE, "x-road-id": "7", "sebalai-purpose": "rujukan"} | said
    covered = ["@method", "@path", "@query", *headers]
    told = [(name.encode(), value.encode()) for name, value in headers.items()]
    terms = Terms("peer", KEY.thumbprint(), int(time.time()), "sebalai-peer", os.urandom(16).hex())
    made = sign(KEY.private_key, covered, terms, Message(told, "GET", path))
    return headers | {name.decode(): value.decode() for name, value in made.headers}


@pytest.mark.usefixtures("regency")
async def test_provider_is_told_for_whom_and_the_journal_keeps_the_others_id(bus, provider):
    async with bus.call(headers=signed(bus.path(), FOR_BUSINESS)) as answer:
        assert answer.status == 200, await answer.text()
    seen = provider.seen[-1].headers
    for name in ("Sebalai-Represented-Party", "X-Road-Represented-Party"):
        assert seen.getall(name) == [PARTY]
    assert "Sebalai-Acting-For" not in seen
    record = await bus.record()
    assert (record["acting_for"], record["client_id"]) == (f"ID-BK/{BUSINESS}", "peer:ID-BK")
    assert NIB not in str(record)


@pytest.mark.usefixtures("regency")
async def test_its_word_is_not_taken_where_our_own_ids_count(bus, provider):
    path = bus.path(interface="anggota")
    async with bus.call(interface="anggota", headers=signed(path, FOR_BUSINESS)) as answer:
        problem = await answer.json(content_type=None)
    assert (answer.status, problem["type"].rpartition(":")[2]) == (
        403, "represented-party-elsewhere",
    )  # fmt: skip
    assert not provider.seen
    assert (await bus.record())["acting_for"] == f"ID-BK/{BUSINESS}"
    async with bus.call(interface="anggota", headers=signed(path, {})) as answer:
        assert answer.status == 200


@pytest.mark.usefixtures("regency")
async def test_another_party_beside_the_signed_one_is_refused(bus, provider):
    said = FOR_BUSINESS | {"x-road-represented-party": "COM/9120001234567"}
    async with bus.call(headers=signed(bus.path(), said)) as answer:
        problem = await answer.json(content_type=None)
    assert problem["type"].rpartition(":")[2] == "represented-party-mismatch"
    assert not provider.seen


@pytest.mark.usefixtures("regency")
async def test_call_signed_by_a_key_that_was_taken_away_meanwhile_is_refused(bus, provider):
    resolve = bus.forwarder.pool.resolve

    async def slowly(*asked):
        other = ECKey.generate_key("P-256")
        keys = [other.as_dict(private=False) | {"kid": other.thumbprint()}]
        offers = [f"{HERE}/penduduk"]
        _change(bus, peers=[{"instance": "ID-BK", "gateway": "x", "keys": keys, "offers": offers}])
        return await resolve(*asked)

    bus.offer("penduduk", provider.url.replace("127.0.0.1", "localhost"))
    bus.forwarder.pool.resolve = slowly
    async with bus.call(headers=signed(bus.path(), {})) as answer:
        problem = await answer.json(content_type=None)
    assert (answer.status, problem["type"].rpartition(":")[2]) == (401, "peer-not-proven")
    assert not provider.seen


async def test_our_gateway_signs_for_whom_it_calls_there(bus, provider):
    name = "ID-BK/GOV/dinkes/rekam/pasien"
    interface = {
        "id": "there", "name": name, "provider": name.rpartition("/")[0], "agency": "dinkes",
        "addresses": [provider.url],
    }  # fmt: skip
    agreement = {
        "id": "onward", "consumer": "ID-BB/GOV/dinsos-pmd/bansos", "interface": name,
        "rules": [{"id": "r1", "method": "*", "path": "/**"}],
        "purposes": [{"code": "rujukan", "legal_basis": "l"}],
        "valid_from": "2020-01-01T00:00:00Z", "valid_until": "2100-01-01T00:00:00Z",
        "quota_per_day": 100, "rate_per_second": 100, "burst": 100,
    }  # fmt: skip
    peer = {"instance": "ID-BK", "gateway": provider.url, "keys": [], "offers": []}
    _change(bus, interfaces=[interface], agreements=[agreement], peers=[peer])
    bus.bear(sub="person", act={"sub": "c"}, acting_for=ACTING)
    headers = bus.headers(**{"Sebalai-Purpose": "rujukan", "Sebalai-Acting-For": "forged"})
    url = f"http://127.0.0.1:{bus.port}/r1/{name}/x"
    async with bus.session.get(url, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
    seen = provider.seen[-1].headers
    assert seen.getall("Sebalai-Acting-For") == [BUSINESS]
    assert seen.getall("Sebalai-Represented-Party") == [PARTY]
    for covered in FOR_BUSINESS:
        assert f'"{covered}"' in seen["Signature-Input"]
    assert (await bus.record())["acting_for"] == BUSINESS
    bus.bear(sub="person", act={"sub": "c"})
    async with bus.session.get(url, headers=bus.headers(**{"Sebalai-Purpose": "rujukan"})) as plain:
        assert plain.status == 200
    assert "Sebalai-Acting-For" not in provider.seen[-1].headers
