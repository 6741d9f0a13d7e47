"""Which path of GovStack's becomes which of ours; nothing of it is decoded on the way."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sebalai_gateway.dialects.govstack import GovStack, translated

PROVIDER = b"ID-BB/GOV/dp3acskb/kependudukan"
EXCHANGE = b"/api/exchange/govstack/"


@pytest.mark.parametrize(
    "asked",
    [
        b"listClients",
        PROVIDER + b"/listMethods",
        PROVIDER + b"/allowedMethods",
        PROVIDER + b"/getOpenAPI",
        PROVIDER + b"/api/v1/eventType",
        PROVIDER + b"/api/v1/eventType/newBirth",
        PROVIDER + b"/api/v1/subs",
        PROVIDER + b"/api/v1/subs/newBirth",
        PROVIDER + b"/pub/v1/newBirth",
        PROVIDER + b"/pull/v1/newBirth/id",
    ],
)
def test_discovery_and_rooms_are_exchanges_with_the_version_and_without(asked):
    assert translated(b"/" + asked) == translated(b"/r1/" + asked) == EXCHANGE + asked


@pytest.mark.parametrize(
    "asked",
    [
        PROVIDER + b"/penduduk/residents/1",
        PROVIDER + b"/penduduk",
        PROVIDER + b"/penduduk/listMethods",
        PROVIDER + b"/listMethods/more",
        PROVIDER + b"/list%4dethods",
        PROVIDER + b"/api/v1",
        PROVIDER + b"/api/v2/eventType",
        PROVIDER + b"/pub/v1x/newBirth",
        b"listClients/",
        b"api/exchange/v1/interfaces",
        b"internal/keys",
        b"oauth/token",
        b"",
    ],
)
def test_all_else_is_a_call(asked):
    assert translated(b"/" + asked) == translated(b"/r1/" + asked) == b"/r1/" + asked


@given(st.binary(max_size=60))
@example(b"r1//r1/x")
@example(b"../api/exchange/internal/routes")
def test_whatever_is_asked_the_bytes_behind_the_beginning_stay(asked):
    path = translated(b"/" + asked)
    beginning = EXCHANGE if path.startswith(EXCHANGE) else b"/r1/"
    rest = asked.removeprefix(b"r1/")
    assert path == beginning + rest


async def test_the_gateways_own_health_is_asked_by_its_own_name():
    seen = []

    async def bus(scope, _receive, _send):
        seen.append((scope["path"], scope["raw_path"]))

    for path in ("/livez", "/readyz", "/listClients"):
        await GovStack(bus)({"type": "http", "path": path, "raw_path": path.encode()}, None, None)
    assert [path for path, _ in seen] == ["/livez", "/readyz", EXCHANGE.decode() + "listClients"]
