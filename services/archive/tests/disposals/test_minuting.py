"""The minutes as a signed PDF/A record: once, by the executor, and then they are the evidence."""

import io

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from sebalai_archive.signing import trial_authority
from sebalai_shared.clock import SystemClock
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

AS = {"name": "Rahma Contoh", "position": "Kepala Unit Kearsipan"}


@pytest.fixture
def settings(settings, tmp_path):
    files = [tmp_path / name for name in ("key.pem", "chain.pem", "root.pem")]
    trial_authority.write(*files, SystemClock().now())
    key, chain, _ = files
    return settings.model_copy(update={"signing_key_file": key, "signing_certificates_file": chain})


@pytest.fixture
async def executed(panel):
    disposal_id = await panel.decreed(await panel.record("800.1.2.2", "2010-01-01"))
    address = f"/v1/disposals/{disposal_id}/minutes"
    early = await panel.clients["executor"].put(address, json=AS)
    assert early.status_code == 409
    assert (await panel.step(disposal_id, "execute")).status_code == 200
    return disposal_id


async def test_the_executor_issues_the_minutes_once_and_they_are_the_evidence(
    panel, executed, database
):
    address = f"/v1/disposals/{executed}/minutes"
    assert (await panel.desk.put(address, json=AS)).status_code == 403
    both = [await panel.clients["executor"].put(address, json=AS) for _ in range(2)]
    assert [answer.status_code for answer in both] == [200, 200], both[0].text
    record_id = (await panel.desk.get(f"/v1/disposals/{executed}")).json()["minutes"]
    assert both[0].json()["minutes"] == both[1].json()["minutes"] == record_id
    shown = (await panel.desk.get(f"/v1/records/{record_id}")).json()
    assert (shown["state"], shown["classification"]) == ("declared", "000.5.6.2")
    pdf = (await panel.desk.get(f"/v1/records/{record_id}/content")).content
    [signature] = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    assert "Rahma Contoh" in str(signature.sig_object["/Name"])
    other = await panel.step(executed, "minute")
    assert other.json()["errors"][0]["pointer"] == "/evidence/berita_acara"
    minuted = await panel.step(executed, "minute", evidence={"berita_acara": record_id})
    assert minuted.json()["state"] == "minuted"
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            await session.execute(text("DELETE FROM disposal_minutes"))
