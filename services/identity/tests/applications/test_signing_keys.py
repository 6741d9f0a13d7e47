"""What gateways check signatures by: the usable keys of active applications, by version."""

from datetime import timedelta

PATH = "/internal/signing-keys"


async def feed(call, gateway, after=0):
    answer = await call("GET", PATH, gateway, params={"after": after})
    return answer.json() if answer.status_code == 200 else None


async def test_gateway_alone_reads_the_keys(call, gateway, operator, registered, wanted):
    for caller in (None, operator):
        assert (await call("GET", PATH, caller)).status_code == 403
    found = await feed(call, gateway)
    (key,) = found["keys"]
    assert key["application"] == registered["identifier"]
    assert key["jwk"]["x"] == wanted()["public_key"]["x"]
    assert key["kid"] == key["thumbprint"]
    assert key["until"] is None
    assert await feed(call, gateway, found["version"]) is None


async def test_suspension_takes_the_keys_away_and_resuming_brings_them_back(
    call, gateway, operator, registered
):
    before = await feed(call, gateway)
    path = f"/v1/applications/{registered['id']}"
    await call("POST", f"{path}/suspend", operator, json={"reason": "lost key"})
    suspended = await feed(call, gateway, before["version"])
    assert suspended["keys"] == []
    await call("POST", f"{path}/resume", operator)
    assert len((await feed(call, gateway, suspended["version"]))["keys"]) == 1


async def test_a_key_tells_the_nearer_of_its_two_ends(
    call, gateway, operator, registered, wanted, clock
):
    near, far = (clock.now() + timedelta(days=days) for days in (1, 9))
    ends = {"valid_until": far.isoformat(), "key_valid_until": near.isoformat()}
    await call("POST", "/v1/applications", operator, json=wanted(**ends))
    (key,) = (await feed(call, gateway))["keys"]
    assert key["until"] == int(near.timestamp())


async def test_a_key_that_ended_is_not_told(call, gateway, operator, registered, wanted, clock):
    soon = (clock.now() + timedelta(seconds=5)).isoformat()
    await call("POST", "/v1/applications", operator, json=wanted(key_valid_until=soon))
    clock.move(timedelta(seconds=6))
    assert (await feed(call, gateway))["keys"] == []
