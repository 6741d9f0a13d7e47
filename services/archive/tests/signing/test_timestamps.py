"""Trusted time and what keeps it: against a timestamp authority that answers with `openssl ts`."""

import asyncio
import base64
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sebalai_archive.rendering.letters import Letter, Signatory, render, written_date
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signatures.schedule import RENEW_SOONEST, RETRY_LONGEST, renewal_at, retry_at
from sebalai_archive.signing import trial_authority
from sebalai_archive.signing.choosing import augmenter_of, roots_of, signer_of
from sebalai_archive.signing.outside import outside_client
from sebalai_archive.signing.reporting import report_on
from sebalai_archive.signing.signer import AugmentingFailed, Intent, TimestampUnavailable
from sebalai_archive.signing.timestamps import HttpTimestamper

INTENT = Intent("Sari", "Kepala Dinas Sosial", "Menandatangani surat dinas", "Pangkalpinang")
LETTER = Letter(
    "Dinas Sosial", "Pangkalpinang", written_date(date(2026, 11, 24)), "000.1.5/001", "Biasa",
    "Undangan", ["Kepala Dinas Kesehatan"], ["Dengan hormat."], [], Signatory("Sari", "Kepala"),
    "K7", "https://bus.example/api/archive/v1/verifications/K7",
)  # fmt: skip
AT = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
async def desk(stamped):
    """Signs, augments and reports as the archive with these settings does."""
    client = outside_client(stamped)
    yield Desk(stamped, client)
    await client.aclose()


class Desk:
    def __init__(self, settings, client):
        self.settings, self.client = settings, client
        self.augmenter = augmenter_of(settings, client)

    async def sign(self, **more):
        signer = signer_of(self.settings.model_copy(update=more), self.client)
        return await signer.sign(await render(LETTER, AT), INTENT)

    async def report(self, pdf, days=0):
        at = datetime.now(UTC) + timedelta(days=days)
        return await report_on(pdf, roots_of(self.settings), at)


async def test_signature_gets_trusted_time_then_answers_then_a_timestamp_over_all(desk):
    signed = await desk.sign()
    assert (signed.profile, signed.is_awaiting) == ("B-T", False)
    report = await desk.report(signed.pdf)
    assert (report.profile, report.verdict, report.time_source) == (
        "B-T", "passed", "signature_timestamp",
    )  # fmt: skip
    kept = await desk.augmenter.preserve(signed.pdf)
    assert kept.pdf.startswith(signed.pdf)
    report = await desk.report(kept.pdf)
    assert (report.profile, report.verdict, report.reason) == ("B-LTA", "passed", "ok")
    assert report.has_revocation
    assert [one.good_until for one in report.timestamps] == [kept.good_until]


async def test_signature_without_time_gets_it_later_and_stays_as_it_was(desk, timestamps):
    timestamps.down = True
    signed = await desk.sign()
    assert (signed.profile, signed.is_awaiting) == ("B-B", True)
    with pytest.raises(TimestampUnavailable, match="answered 503"):
        await desk.augmenter.stamp(signed.pdf)
    timestamps.down = False
    stamped = await desk.augmenter.stamp(signed.pdf)
    kept = await desk.augmenter.preserve(stamped.pdf)
    assert kept.pdf.startswith(stamped.pdf)
    assert stamped.pdf.startswith(signed.pdf)
    reports = [await desk.report(pdf) for pdf in (signed.pdf, stamped.pdf, kept.pdf)]
    assert [one.profile for one in reports] == ["B-B", "B-T", "B-LTA"]
    assert [one.time_source for one in reports] == ["validation", *["document_timestamp"] * 2]
    assert {one.verdict for one in reports} == {"passed"}


async def test_renewed_in_time_it_outlives_signer_and_first_timestamp(desk, timestamps):
    timestamps.renew_tsa(days=2)
    first = await desk.augmenter.preserve((await desk.sign()).pdf)
    timestamps.renew_tsa(days=3_000)
    renewed = await desk.augmenter.preserve(first.pdf)
    assert renewed.good_until > first.good_until
    years = 5 * 365  # the signer's certificate ended after one
    assert (await desk.report(renewed.pdf, years)).verdict == "passed"
    late = await desk.report(first.pdf, years)
    assert (late.verdict, late.is_trusted) == ("indeterminate", False)
    assert [one.is_trusted for one in late.timestamps] == [False]


async def test_a_signer_revoked_before_it_is_preserved_is_seen(desk, timestamps):
    signed = await desk.sign()
    timestamps.revoke(int(signed.serial, 16))
    with pytest.raises(AugmentingFailed, match="revoked") as failed:
        await desk.augmenter.preserve(signed.pdf)
    assert failed.value.slug == "not-validated"


async def test_a_signer_revoked_after_it_was_preserved_does_no_harm(desk, timestamps):
    signed = await desk.sign()
    kept = await desk.augmenter.preserve(signed.pdf)
    timestamps.revoke(int(signed.serial, 16))
    assert (await desk.augmenter.preserve(kept.pdf)).profile == "B-LTA"
    assert (await desk.report(kept.pdf)).verdict == "passed"


@pytest.mark.parametrize(
    ("place", "expected"),
    [("letter", ("failed", "changed")), ("answers", ("indeterminate", "timestamp_not_trusted"))],
)
async def test_a_changed_byte_is_seen_by_what_stands_over_it(desk, place, expected):
    signed = (await desk.sign()).pdf
    pdf = bytearray((await desk.augmenter.preserve(signed)).pdf)
    pdf[200 if place == "letter" else pdf.index(b"stream", len(signed)) + 20] ^= 1
    report = await desk.report(bytes(pdf))
    assert (report.verdict, report.reason) == expected


async def test_a_token_over_another_digest_is_not_taken(desk, timestamps):
    timestamps.lying = True
    assert (await desk.sign()).is_awaiting


async def test_an_ended_certificate_beside_the_chain_says_nothing(desk, timestamps, tmp_path):
    files = [tmp_path / name for name in ("key.pem", "chain.pem", "root.pem")]
    trial_authority.write(*files, AT - timedelta(days=20_000))
    timestamps.add_to_tokens(files[1].read_bytes())
    kept = await desk.augmenter.preserve((await desk.sign()).pdf)
    assert kept.good_until == timestamps.tsa.not_valid_after_utc


@pytest.mark.parametrize("body", [b"\x30\x80", b"\x30\x05\x30\x03\x02\x01\x00", b"\x05\x00", b""])
async def test_a_malformed_reply_is_no_token(listening, stamped, body):
    async def malformed(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    await _refused(listening, stamped, malformed)


async def test_a_reply_that_drips_is_not_waited_for(listening, stamped):
    async def dripping(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    gone = asyncio.Event()
    await _refused(listening, stamped, dripping)
    await gone.wait()


async def _refused(listening, stamped, answering):
    async with listening(answering) as url:
        client = outside_client(stamped)
        timestamper = HttpTimestamper(client, url, roots_of(stamped), seconds=0.3)
        with pytest.raises(TimestampUnavailable):
            await timestamper.token(bytes(32))
        await client.aclose()


async def test_a_token_of_an_authority_that_is_not_trusted_is_not_taken(desk, tmp_path):
    files = [tmp_path / name for name in ("key.pem", "chain.pem", "root.pem")]
    trial_authority.write(*files, AT)
    assert (await desk.sign(signing_trust_file=files[2])).is_awaiting


async def test_without_roots_nothing_is_trusted_and_the_report_says_so(desk):
    report = await report_on((await desk.sign()).pdf, [], datetime.now(UTC))
    assert (report.verdict, report.reason) == ("indeterminate", "no_certificate_chain_found")
    assert (report.is_intact, report.is_trusted) == (True, False)


async def test_the_authority_is_asked_with_the_account_of_the_settings(desk, timestamps):
    timestamps.password = "rahasia-uji"
    assert (await desk.sign()).is_awaiting
    password = ArchiveSettings(
        timestamp_user="sebalai", timestamp_password="rahasia-uji", timestamp_url=timestamps.url,
        signing_trust_file=timestamps.folder / "root.pem", private_systems="127.0.0.1",
    ).timestamp_password  # fmt: skip
    assert (await desk.sign(timestamp_user="sebalai", timestamp_password=password)).profile == "B-T"


async def test_an_authority_on_an_internal_address_nobody_named_is_not_called(stamped, timestamps):
    client = outside_client(stamped.model_copy(update={"private_systems": ""}))
    signed = await signer_of(stamped, client).sign(await render(LETTER, AT), INTENT)
    await client.aclose()
    assert (signed.is_awaiting, timestamps.asked) == (True, 0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"timestamp_url": "https://tsa.example/"}, "signing_trust_file"),
        ({"timestamp_user": "x"}, "go together"),
        (
            {
                "timestamp_url": "http://tsa.example/", "signing_trust_file": "root.pem",
                "timestamp_user": "x", "timestamp_password": base64.b64encode(b"x").decode(),
            },
            "only over https",
        ),
    ],
)  # fmt: skip
def test_settings_that_would_tell_a_password_or_trust_nobody_stop_the_start(more, said):
    with pytest.raises(ValidationError, match=said):
        ArchiveSettings(**more)


@given(st.integers(1, 10**9), st.datetimes(datetime(2026, 1, 1), datetime(2126, 1, 1)))
def test_renewal_is_before_the_end_and_never_at_once(seconds, now):
    end = now + timedelta(seconds=seconds)
    assert now + RENEW_SOONEST <= renewal_at(now, end) < max(end, now + 2 * RENEW_SOONEST)
    assert renewal_at(end, now) == end + RENEW_SOONEST


@given(st.integers(0, 10_000))
def test_retries_wait_longer_each_time_up_to_a_limit(tries):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    first, second = retry_at(now, tries), retry_at(now, tries + 1)
    assert now < first <= second <= now + RETRY_LONGEST
