"""Providers behind TLS: whom the gateway believes, whom it does not, and what is kept apart."""

import asyncio
import ssl
import warnings

import pytest
from sebalai_gateway.forwarding.destinations import FAILURES_TO_EJECT


def old_only(authority):
    context = authority.serves()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


# What the provider shows, as made by the authority that is trusted and by one that is not.
REFUSED = {
    "another host": (lambda ours, _: ours.serves("simduk.example"), "provider-certificate-name"),
    "another address": (lambda ours, _: ours.serves("127.0.0.2"), "provider-certificate-name"),
    "expired": (lambda ours, _: ours.serves("localhost", (-3, -2)), "provider-certificate-expired"),
    "not yet valid": (lambda ours, _: ours.serves("localhost", (1, 2)), "provider-certificate-expired"),
    "of a stranger": (lambda _, other: other.serves(), "provider-certificate-untrusted"),
    "TLS 1.1": (lambda ours, _: old_only(ours), "provider-tls-failed"),
}  # fmt: skip


async def problem_of(answer):
    return (answer.status, (await answer.json(content_type=None))["type"].rsplit(":", 1)[1])


@pytest.mark.parametrize("case", REFUSED)
async def test_provider_that_does_not_prove_itself_hears_nothing_and_the_journal_says_why(
    bus, providing, authority, stranger, case
):
    made, slug = REFUSED[case]
    async with providing(made(authority, stranger), "localhost") as provider:
        bus.offer("rahasia", provider.url, trust_anchors=authority.pem)
        async with bus.call("POST", interface="rahasia", data=b"rahasia") as answer:
            assert await problem_of(answer) == (502, slug)
            message_id = answer.headers["Sebalai-Message-Id"]
    assert provider.seen == []
    record = await bus.record(message_id)
    assert (record["outcome"], record["status"], record["problem"]) == ("failed", 502, slug)
    assert await bus.phases(message_id) == ["requested", "completed"]


async def test_provider_that_speaks_no_tls_is_refused(bus):
    async def serve(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    bus.offer("rahasia", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with bus.call(interface="rahasia") as answer:
        assert await problem_of(answer) == (502, "provider-tls-failed")
    server.close()


async def test_provider_is_asked_by_its_name_and_answers_under_the_authority_it_named(
    bus, providing, authority
):
    async with providing(authority.serves(), "localhost") as provider:
        bus.offer("rahasia", provider.url, trust_anchors=authority.pem)
        for _ in range(2):
            async with bus.call("POST", interface="rahasia", data=b"x" * 40_000) as answer:
                assert (answer.status, await answer.read()) == (200, b"hello")
    assert provider.names == ["localhost"]
    assert {seen.headers["Host"] for seen in provider.seen} == {provider.authority}
    assert (provider.connections, [seen.size for seen in provider.seen]) == (1, [40_000] * 2)


async def test_address_without_a_name_is_held_against_the_address_in_the_certificate(
    bus, providing, authority
):
    async with providing(authority.serves("127.0.0.1")) as provider:
        bus.offer("rahasia", provider.url, trust_anchors=authority.pem)
        async with bus.call(interface="rahasia") as answer:
            assert answer.status == 200
    assert provider.names == [None]  # RFC 6066, section 3: an address is no name


async def test_without_anchors_the_system_is_trusted_and_with_them_it_is_not(
    bus, providing, authority, stranger, tmp_path, monkeypatch
):
    (tmp_path / "system.pem").write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    async with providing(authority.serves(), "localhost") as provider:
        bus.offer("umum", provider.url)
        bus.offer("rahasia", provider.url, trust_anchors=stranger.pem)
        async with bus.call(interface="umum") as answer:
            assert answer.status == 200
        # A connection that the other interface trusts is open, and is not taken.
        async with bus.call(interface="rahasia") as answer:
            assert await problem_of(answer) == (502, "provider-certificate-untrusted")
    assert len(provider.seen) == 1


async def test_certificate_that_changes_is_judged_anew_at_the_next_connection(
    bus, providing, authority, stranger
):
    serving = authority.serves()
    async with providing(serving, "localhost") as provider:
        bus.offer("rahasia", provider.url, trust_anchors=authority.pem)

        async def once(seen, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        provider.answer = once
        shown = [authority.issue(), stranger.issue(), authority.issue()]
        found = []
        for certificate in shown:
            serving.load_cert_chain(certificate)
            async with bus.call(interface="rahasia") as answer:
                found.append(answer.status)
    assert (found, len(provider.seen)) == ([200, 502, 200], 2)


async def test_anchors_that_are_no_certificates_trust_nobody(bus, providing, authority):
    async with providing(authority.serves(), "localhost") as provider:
        bus.offer("rahasia", provider.url, trust_anchors="-----BEGIN CERTIFICATE-----\nx")
        async with bus.call(interface="rahasia") as answer:
            assert await problem_of(answer) == (502, "provider-certificate-untrusted")
    assert provider.connections == 0


async def test_provider_that_stays_untrusted_is_left_alone_for_a_while(
    bus, providing, authority, stranger
):
    async with providing(stranger.serves(), "localhost") as provider:
        bus.offer("rahasia", provider.url, trust_anchors=authority.pem)
        for _ in range(FAILURES_TO_EJECT):
            async with bus.call(interface="rahasia") as answer:
                assert answer.status == 502
        async with bus.call(interface="rahasia") as answer:
            assert await problem_of(answer) == (503, "provider-unavailable")


async def test_name_is_looked_up_and_checked_again_at_each_connection(bus, providing, authority):
    """DNS rebinding: a name that once stood outside stands inside the next time."""
    where = ["127.0.0.1", "169.254.169.254", "10.0.0.7"]
    async with providing(authority.serves("simduk.example"), "simduk.example") as provider:

        async def resolve(host, port):
            assert host == "simduk.example"
            return [where.pop(0)]

        bus.forwarder.pool.resolve = resolve
        bus.offer("rahasia", provider.url, trust_anchors=authority.pem)

        async def once(seen, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        provider.answer = once
        found = []
        for _ in range(3):
            async with bus.call(interface="rahasia") as answer:
                found.append(answer.status)
    assert (found, where, len(provider.seen)) == ([200, 502, 502], [], 1)


async def test_answer_cut_off_below_tls_is_not_taken_for_whole(bus, authority, by_hand):
    """An answer that ends with its connection could be cut by anyone on the way (RFC 9112, 9.8)."""
    with by_hand(authority.serves(), b"HTTP/1.1 200 OK\r\n\r\nhalf") as url:
        bus.offer("rahasia", url, trust_anchors=authority.pem)
        async with bus.call("POST", interface="rahasia") as answer:
            assert await problem_of(answer) == (502, "provider-unreachable")


async def test_provider_that_says_why_it_cannot_speak_is_heard(bus, authority, by_hand):
    with by_hand(old_only(authority), b"") as url:
        bus.offer("rahasia", url, trust_anchors=authority.pem)
        async with bus.call("POST", interface="rahasia") as answer:
            assert await problem_of(answer) == (502, "provider-tls-failed")
