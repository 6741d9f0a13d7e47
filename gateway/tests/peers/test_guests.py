"""Calls between instances: which are taken from another one, which go there, and how."""

import os
import time

import orjson
import pytest
from joserfc.jwk import ECKey
from msgspec.structs import replace
from sebalai_gateway.calls.headers import Incoming
from sebalai_gateway.calls.record import Call
from sebalai_gateway.peers.crossing import Crossing
from sebalai_gateway.peers.guests import COVERED, PARTY_COVERED, is_guest, recognise
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.paths import parse
from sebalai_gateway.routing.snapshot import Peer
from sebalai_gateway.routing.table import Table
from sebalai_gateway.signatures.seals import Seals
from sebalai_gateway.signatures.signers import Signers
from sebalai_shared.signatures import Message, Terms, sign

KEY, STRANGER = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
THERE, HERE = "ID-BK/GOV/dinkes/puskesmas", "ID-BB/GOV/dp3acskb/kependudukan"
OURS, OFFERED, THEIRS = "ID-BB/GOV/a/b", f"{HERE}/penduduk", "ID-BK/GOV/dinkes/rekam/pasien"
NOW = time.time()


def peer():
    public = KEY.as_dict(private=False) | {"kid": KEY.thumbprint()}
    return {"instance": "ID-BK", "gateway": "http://x", "keys": [public], "offers": [OFFERED]}


def table(*peers):
    interfaces = [
        {"id": name, "name": name, "provider": name.rpartition("/")[0], "agency": name.split("/")[2],
         "addresses": ["http://127.0.0.1:1"]}
        for name in (OFFERED, f"{HERE}/lain", THEIRS)
    ]  # fmt: skip
    pairs = [(THERE, OFFERED), (THERE, f"{HERE}/lain"), (OURS, THEIRS), (THERE, THEIRS)]
    agreements = [
        {"id": f"{number}", "consumer": consumer, "interface": interface,
         "rules": [{"id": "r1", "method": "*", "path": "/**"}],
         "purposes": [{"code": "p", "legal_basis": "l"}],
         "valid_from": "2020-01-01T00:00:00Z", "valid_until": "2100-01-01T00:00:00Z",
         "quota_per_day": 100, "rate_per_second": 100, "burst": 100}
        for number, (consumer, interface) in enumerate(pairs)
    ]  # fmt: skip
    document = {"version": 1, "instance": "ID-BB", "interfaces": interfaces,
                "agreements": agreements, "peers": list(peers)}  # fmt: skip
    return Table.build(orjson.dumps(document))


def request(
    client=THERE, *, key=KEY, kid=None, covered=COVERED, created=0, nonce=None, tag="sebalai-peer",
    more=(),
):  # fmt: skip
    headers = [
        *more,
        (b"x-road-client", client.encode()),
        (b"x-road-id", b"7"),
        (b"sebalai-purpose", b"p"),
    ]
    kid = KEY.thumbprint() if kid is None else kid
    terms = Terms("peer", kid, int(NOW) + created, tag, nonce or os.urandom(16).hex())
    path = f"/r1/{OFFERED}/x"
    signed = sign(key.private_key, list(covered), terms, Message(headers, "GET", path))
    return Message([*headers, *signed.headers], "GET", path)


def taken(message, known=None, client=THERE, has_body=False):
    return recognise(message, known or table(peer()), client, has_body=has_body, clock=lambda: NOW)


def test_what_a_named_instance_signed_is_its_applications_call():
    guest = taken(request())
    assert (guest.claims.application, guest.claims.agency) == (THERE, "dinkes")
    assert (guest.claims.client_id, guest.claims.scope) == ("peer:ID-BK", "bus.call")


def test_a_call_with_a_token_or_another_signature_is_no_guest():
    assert is_guest(request())
    assert not is_guest(request(tag="sebalai-r1"))
    assert not is_guest(Message([*request().headers, (b"authorization", b"x")], "GET", "/"))


@pytest.mark.parametrize(
    ("message", "known", "client"),
    [
        (request(), table(), THERE),
        (request(key=STRANGER), None, THERE),
        (request(kid="other"), None, THERE),
        (request(created=-400), None, THERE),
        (request(created=60), None, THERE),
        (request(nonce="short"), None, THERE),
        (request(tag="other"), None, THERE),
        (request(), None, None),
        (request(), None, "ID-BK/GOV/dinkes"),
        (request(HERE), None, HERE),
        *((request(covered=[c for c in COVERED if c != out]), None, THERE) for out in COVERED),
    ],
)
def test_all_else_is_not_proven(message, known, client):
    with pytest.raises(Refusal) as caught:
        taken(message, known, client)
    assert (caught.value.status, caught.value.slug) == (401, "peer-not-proven")


def test_a_body_must_be_covered_by_its_digest():
    with pytest.raises(Refusal) as caught:
        taken(request(), has_body=True)
    assert "content-digest" in caught.value.detail


def test_a_digest_that_nobody_checks_is_none():
    digest = [(b"content-digest", b"sha-512=:YQ==:")]
    with pytest.raises(Refusal) as caught:
        taken(request(more=digest, covered=[*COVERED, "content-digest"]), has_body=True)
    assert "no sha-256" in caught.value.detail


def decide(known, application, interface):
    claims = replace(taken(request()).claims, application=application)
    return known.decide(claims, parse(f"/r1/{interface}/x".encode()), "GET", "p", NOW)


def refused(known, application, interface):
    with pytest.raises(Refusal) as caught:
        decide(known, application, interface)
    return caught.value.slug


def test_only_what_is_offered_is_reached_from_another_instance():
    known = table(peer())
    assert decide(known, THERE, OFFERED).peer is None
    assert refused(known, THERE, f"{HERE}/lain") == "peer-not-offered"
    assert refused(known, THERE, THEIRS) == "peer-not-offered"


def test_a_call_leaves_for_a_named_instance_alone_until_it_ends():
    known = table(peer())
    assert decide(known, OURS, THEIRS).peer.instance == "ID-BK"
    change = {"version": 2, "after": 1, "instance": "ID-BB", "interfaces": [], "agreements": [],
              "gone": {"peers": ["ID-BK"]}}  # fmt: skip
    known.apply(orjson.dumps(change))
    assert refused(known, OURS, THEIRS) == "peer-unknown"
    assert refused(known, THERE, OFFERED) == "peer-not-offered"


def test_what_one_gateway_signs_the_other_takes():
    seals = Seals(Signers(), None, KEY.private_key, KEY.thumbprint(), lambda: NOW)
    call = Call("GET", "t")
    told = [(b"x-road-client", THERE.encode()), (b"x-road-id", b"mine"), (b"sebalai-purpose", b"p")]
    headers = Crossing(seals, call, Peer("ID-BK", "http://x", [])).onward(
        "http://x/r1/a/b?c=1", told
    )
    assert (b"x-road-id", call.name.encode()) in headers
    assert (b"x-road-id", b"mine") not in headers
    assert taken(Message(headers, "GET", "/r1/a/b", "c=1")).claims.application == THERE


class Body:
    """A consumer's body that is held, or too large to be."""

    def __init__(self, held):
        self.held = held

    async def hold(self, limit, *, is_whole_needed):  # noqa: ARG002
        return self.held


async def test_a_body_without_a_digest_is_held_for_one_and_a_large_one_needs_its_own():
    crossing = Crossing(None, None, Peer("ID-BK", "http://x", []))
    incoming = Incoming(content_length=3)
    await crossing.prepare(incoming, Body(b"abc"))
    assert incoming.forwarded == [
        (b"content-digest", b"sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:")
    ]
    with pytest.raises(Refusal) as caught:
        await crossing.prepare(Incoming(content_length=3), Body(None))
    assert caught.value.slug == "digest-missing"
    told = Incoming(content_length=3, content_digest=b"sha-256=:x:")
    await crossing.prepare(told, Body(None))
    assert told.forwarded == []


BUSINESS, NIB = "0199b7a0-0000-7000-8000-000000000001", "8120001234567"
FOR_BUSINESS = [
    (b"sebalai-represented-party", f"COM/{NIB}".encode()),
    (b"x-road-represented-party", f"COM/{NIB}".encode()),
    (b"sebalai-acting-for", BUSINESS.encode()),
]
COVERED_FOR_BUSINESS = (*COVERED, *PARTY_COVERED)


def test_for_whom_a_call_is_made_is_the_word_of_its_instance_and_names_none_of_ours():
    guest = taken(request(more=FOR_BUSINESS, covered=COVERED_FOR_BUSINESS))
    acting_for = guest.claims.acting_for
    assert (acting_for.business, acting_for.nib) == (f"ID-BK/{BUSINESS}", NIB)
    assert taken(request()).claims.acting_for is None


def _said(**changed):
    return [(name, changed.get(name.decode(), value)) for name, value in FOR_BUSINESS]


@pytest.mark.parametrize(
    ("more", "covered"),
    [
        *((FOR_BUSINESS, [c for c in COVERED_FOR_BUSINESS if c != out]) for out in PARTY_COVERED),
        (FOR_BUSINESS, COVERED),
        (FOR_BUSINESS[:1], [*COVERED, "sebalai-represented-party"]),
        (FOR_BUSINESS[2:], [*COVERED, "sebalai-acting-for"]),
        ([*FOR_BUSINESS, FOR_BUSINESS[0]], COVERED_FOR_BUSINESS),
        ([*FOR_BUSINESS, FOR_BUSINESS[2]], COVERED_FOR_BUSINESS),
        (_said(**{"sebalai-represented-party": b"GOV/dinsos-pmd"}), COVERED_FOR_BUSINESS),
        (_said(**{"sebalai-represented-party": NIB.encode()}), COVERED_FOR_BUSINESS),
        (_said(**{"sebalai-acting-for": NIB.encode()}), COVERED_FOR_BUSINESS),
        (_said(**{"sebalai-acting-for": f"ID-BB/{BUSINESS}".encode()}), COVERED_FOR_BUSINESS),
    ],
)
def test_a_business_that_is_not_signed_or_not_one_is_not_proven(more, covered):
    with pytest.raises(Refusal) as caught:
        taken(request(more=more, covered=covered))
    assert (caught.value.status, caught.value.slug) == (401, "peer-not-proven")


def test_the_header_of_x_road_alone_is_its_senders_own_word():
    """Any consumer may send it; nobody vouches for it, as in one instance."""
    assert taken(request(more=FOR_BUSINESS[1:2])).claims.acting_for is None


def test_one_gateway_tells_the_other_for_whom():
    seals = Seals(Signers(), None, KEY.private_key, KEY.thumbprint(), lambda: NOW)
    call = Call("GET", "t")
    call.facts["acting_for"] = BUSINESS
    told = [*FOR_BUSINESS[:2], (b"x-road-client", THERE.encode()), (b"sebalai-purpose", b"p")]
    headers = Crossing(seals, call, Peer("ID-BK", "http://x", [])).onward("http://x/r1/a/b", told)
    guest = taken(Message(headers, "GET", "/r1/a/b"))
    assert guest.claims.acting_for.business == f"ID-BK/{BUSINESS}"
    other = [
        (n, b"COM/9120001234567" if n == b"sebalai-represented-party" else v) for n, v in headers
    ]
    with pytest.raises(Refusal):
        taken(Message(other, "GET", "/r1/a/b"))
