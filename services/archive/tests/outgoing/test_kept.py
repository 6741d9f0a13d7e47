"""What is added to a signature later, so that it stays provable; and what goes with its record."""

import base64
import hashlib
import os
from datetime import UTC, datetime, timedelta

import pytest
from sebalai_archive.copies import Copies
from sebalai_archive.disposals.jobs import Stores, erase_destroyed
from sebalai_archive.seals.jobs import sweep_content
from sebalai_archive.signatures.jobs import augment_due
from sebalai_archive.signing.choosing import augmenter_of, signer_of
from sebalai_archive.signing.outside import outside_client
from sebalai_archive.signing.reporter import Reporter
from sebalai_archive.storing import content_store_of
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system
from sqlalchemy import text


def key():
    return {"idempotency-key": str(uuid7())}


@pytest.fixture
async def keeper(app, database, stamped, clock):
    """The archive with timestamps: its api signs with them, and `augment` is a pass of its worker."""
    client = outside_client(stamped)
    app.state.signer = signer_of(stamped, client)
    content = content_store_of(stamped)
    app.state.reporter = Reporter(content, stamped, clock)
    augmenter = augmenter_of(stamped, client)

    class Keeper:
        store = content

        async def augment(self):
            return await augment_due(database, content, augmenter, clock)

        async def sweep(self):
            for path in (stamped.content_dir / "cas").rglob("*"):
                os.utime(path, (0, 0))
            return await sweep_content(database, content, clock)

        async def facts(self):
            async with database.transaction() as session:
                told = (await session.scalars(text("SELECT document::text FROM outbox"))).all()
            return [fact for fact in told if "archive.signature.recorded.v1" in fact]

    yield Keeper()
    await client.aclose()


async def test_a_letter_signed_while_nobody_gives_timestamps_gets_them_later(
    people, verified, anonymous, timestamps, keeper, clock, *, register
):
    timestamps.down = True
    signed = (await people["kepala"].act(verified, "signature")).json()
    assert (signed["state"], signed["number"]) == ("signed", "000.1.5/001/DINSOS/XI/2026")
    address = "/v1/verifications/" + signed["verification"].rpartition("/")[2]
    seen = (await anonymous.get(address)).json()
    assert (seen["profile"], seen["signature_state"]) == ("B-B", "awaiting_timestamp")

    assert await register() == [(1, "issued")]
    assert await keeper.augment() == 0
    timestamps.down = False
    assert await keeper.augment() == 0  # it waits its turn
    clock.move(timedelta(hours=1))
    assert await keeper.augment() == 2
    now = (await anonymous.get(address)).json()
    assert (now["profile"], now["signature_state"]) == ("B-LTA", "preserved")
    assert [one["profile"] for one in now["files"]] == ["B-B", "B-T", "B-LTA"]
    assert now["content_sha256"] == now["files"][0]["sha256"] == seen["content_sha256"]
    first, second, third = [
        keeper.store.place.path(one["sha256"]).read_bytes() for one in now["files"]
    ]
    assert second.startswith(first)
    assert third.startswith(second)
    assert await keeper.sweep() == 0
    assert len(await keeper.facts()) == 3

    clock.move(datetime.now(UTC) - clock.now())  # the authority's clock is the true one
    report = (await anonymous.get(f"{address}/signature")).json()
    assert (report["profile"], report["verdict"], report["reason"]) == ("B-LTA", "passed", "ok")
    assert report["time_source"] == "document_timestamp"
    assert len(report["timestamps"]) == 2


async def test_a_letter_signed_before_signatures_were_kept_is_plain(
    people, verified, anonymous, database
):
    signed = (await people["kepala"].act(verified, "signature")).json()
    address = "/v1/verifications/" + signed["verification"].rpartition("/")[2]
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE signature_revision DISABLE TRIGGER USER"))
        await session.execute(text("DELETE FROM signature_revision"))
        await session.execute(text("DELETE FROM signature"))
    seen = (await anonymous.get(address)).json()
    assert (seen["profile"], seen["signature_state"]) == ("B-B", "plain")
    assert [one["sha256"] for one in seen["files"]] == [seen["content_sha256"]]
    assert (await anonymous.get(f"{address}/signature")).json()["profile"] == "B-B"


async def test_a_file_that_breaks_the_augmenter_stops_no_other(
    people, verified, database, keeper, clock
):
    class Broken:
        async def preserve(self, pdf):
            raise KeyError(pdf[:4])

    record = (await people["kepala"].act(verified, "signature")).json()["record_id"]
    assert await augment_due(database, keeper.store, Broken(), clock) == 0
    seen = (await people["konsep"].http.get(f"/v1/records/{record}/signature")).json()
    assert seen["problem"] == "unexpected"


async def test_a_records_signature_tells_its_files_to_those_who_may_open_it(
    people, verified, keeper
):
    record = (await people["kepala"].act(verified, "signature")).json()["record_id"]
    assert await keeper.augment() == 1
    address = f"/v1/records/{record}/signature"
    seen = (await people["konsep"].http.get(address)).json()
    assert (seen["profile"], seen["state"], seen["problem"]) == ("B-LTA", "preserved", None)
    assert [one["profile"] for one in seen["files"]] == ["B-T", "B-LTA"]
    declared = (await people["konsep"].http.get(f"/v1/records/{record}")).json()
    salt = base64.urlsafe_b64decode(declared["declaration"]["salt"] + "=")
    last = seen["files"][1]
    commitment = hashlib.sha256(salt + last["statement"].encode()).hexdigest()
    assert commitment in (await keeper.facts())[1]
    got = await people["konsep"].http.get(f"{address}/files/2")
    assert hashlib.sha256(got.content).hexdigest() == last["sha256"]
    assert (await people["konsep"].http.get(f"{address}/files/3")).status_code == 404


async def test_the_signature_of_a_closed_record_is_as_closed_as_its_content(
    people, wanted, keeper, client_of, template
):
    http = people["konsep"].http
    await http.post("/v1/number-templates", json=template, headers=key())
    body = wanted | {"security_class": "rahasia", "verifiers": []}
    letter = (await http.post("/v1/outgoing-letters", json=body, headers=key())).json()
    await people["konsep"].act(letter, "submission")
    record = (await people["kepala"].act(letter, "signature")).json()["record_id"]
    stranger = client_of(system("ID-BB/GOV/dinkes/surat", "archive.write"))
    for path in ("content", "signature", "signature/files/1"):
        assert (await stranger.get(f"/v1/records/{record}/{path}")).status_code == 404


async def test_what_was_added_to_a_signature_is_erased_with_its_record(
    people, verified, keeper, database, settings, clock, *, destroy
):
    record = (await people["kepala"].act(verified, "signature")).json()["record_id"]
    assert await keeper.augment() == 1
    await destroy(record)
    stores = Stores(keeper.store, Copies(keeper.store.place, None))
    assert await erase_destroyed(database, stores, clock) == 0  # too young: an upload may name it
    for path in (settings.content_dir / "cas").rglob("*"):
        os.utime(path, (0, 0))
    assert await erase_destroyed(database, stores, clock) == 1
    assert [one for one in (settings.content_dir / "cas").rglob("*") if one.is_file()] == []
    clock.move(timedelta(days=3_650))
    assert await keeper.augment() == 0
