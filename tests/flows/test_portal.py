"""Two people act for their business on the portal, and one of them for herself: a whole platform,
in a real browser. What is made belongs to the party that the page names.
"""

from datetime import timedelta

import pytest
from sebalai_identity.app import vault_of
from sebalai_identity.businesses.actions import record_representation, register_business
from sebalai_identity.businesses.schema import BusinessRegister, RepresentationRecord
from sebalai_identity.commands import OPERATOR
from sebalai_identity.desk import Desk
from sebalai_identity.inviting import invite, read
from sebalai_identity.keys.sealing import Sealer
from sebalai_identity.settings import IdentitySettings
from sebalai_identity.signing_in import keeper_of
from sebalai_local.home import Home
from sebalai_local.processes import member_environment
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database

pytestmark = pytest.mark.flow

PASSWORD = "tepung garam jembatan biru"
ANI, BUDI = ("Ani Contoh", "ani.contoh"), ("Budi Contoh", "budi.contoh")
TIMAH = "PT Contoh Timah Sejahtera"
WORDS = {
    "id": ("Masuk", "Masuk sebagai usaha", "Kembali ke diri sendiri"),
    "en": ("Sign in", "Sign in as a business", "Back to myself"),
}


@pytest.fixture(scope="session")
async def people(platform, tmp_path_factory):
    """Ani and Budi, who sign in by a password and represent one business."""
    told = member_environment(Home(platform.home, platform.base), "identity")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        settings = IdentitySettings.from_environment()
    database, clock = Database(settings), SystemClock()
    desk = Desk(OPERATOR, clock, vault_of(settings))
    keeper = keeper_of(settings, Sealer.from_file(settings.sealing_key_file), database, clock)
    password = tmp_path_factory.mktemp("portal") / "password"
    password.write_text(PASSWORD)
    async with database.transaction() as session:
        wanted = BusinessRegister.model_validate({"name": TIMAH, "nib": "8120001234568"})
        business = await register_business(session, desk, wanted=wanted)
        for name, login in (ANI, BUDI):
            said = ["--name", name, "--login", login, "--password-file", str(password)]
            made = await invite(session, settings, keeper, read(said))
            deed = RepresentationRecord.model_validate({
                "person_id": made["person_id"], "capacity": "director",
                "document": "Akta 1/2020", "valid_from": clock.now() - timedelta(days=1),
            })  # fmt: skip
            await record_representation(session, desk, business_id=business.id, wanted=deed)
    keeper.workers.close()
    await database.close()


async def enter(tab, gateway, login, language="id"):
    sign_in, as_business, _ = WORDS[language]
    await tab.go(f"{gateway}/masuk" + ("" if language == "id" else "?lang=en"))
    await tab.press(as_business)
    await tab.arrives("/sign-in")
    await tab.fill("login", login)
    await tab.fill("password", PASSWORD)
    await tab.press(sign_in)
    await tab.arrives("/acting-for")
    await tab.press(TIMAH)
    await tab.arrives("/urusan")


async def leave(tab):
    await tab.press("Keluar")
    await tab.arrives("/sign-out")
    await tab.press("Keluar")
    await tab.until("document.body.innerText.includes('Anda sudah keluar')", "signed out")


async def complain(tab, gateway, title):
    await tab.go(f"{gateway}/pengaduan")
    await tab.fill("judul", title)
    await tab.fill("isi", "Sudah tiga malam gelap di depan pabrik.")
    await tab.press("Kirim")
    await tab.arrives("/urusan")
    assert title in await tab.text()


async def attach(tab, code, path):
    root = (await tab.send("DOM.getDocument"))["root"]["nodeId"]
    found = await tab.send("DOM.querySelector", nodeId=root, selector=f"#berkas-{code}")
    await tab.send("DOM.setFileInputFiles", nodeId=found["nodeId"], files=[str(path)])
    await tab.run(f"document.querySelector('#berkas-{code}').form.requestSubmit()")
    await tab.until(f"document.body.innerText.includes({path.name!r})", "the document")


async def test_request_for_a_business_is_filed_and_a_colleague_follows_it(
    tab, platform, people, examine, tmp_path
):
    gateway = platform.gateway
    await tab.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": "id"})
    await enter(tab, gateway, ANI[1])
    await tab.go(f"{gateway}/layanan/izin-penelitian")
    await tab.press(f"Ajukan untuk {TIMAH}")
    await tab.until("location.pathname.startsWith('/urusan/')", "the draft")
    where = await tab.run("location.pathname")
    await examine("portal-draft")
    await tab.press("Ajukan")
    await tab.until("document.querySelector('[role=alert]')", "what is missing")
    assert "masih ada dokumen" in await tab.text()
    for code in ("proposal", "ktp", "pengantar"):
        path = tmp_path / f"{code} ani.pdf"
        path.write_bytes(b"%PDF-1.7 " + code.encode())
        await attach(tab, code, path)
    await tab.press("Ajukan")
    await tab.until("document.body.innerText.includes('diajukan')", "filed")
    await examine("portal-filed")
    await tab.go(f"{gateway}/urusan")
    await tab.press("Kembali ke diri sendiri")
    await tab.until("document.body.innerText.includes('Urusan saya')", "for herself")
    await tab.go(f"{gateway}{where}")
    assert "bukan milik pihak yang Anda wakili" in await tab.text()
    await examine("portal-not-hers")
    await tab.go(f"{gateway}/urusan")
    await leave(tab)
    await enter(tab, gateway, BUDI[1])
    await tab.go(f"{gateway}{where}?lang=en")
    assert "proposal ani.pdf" in await tab.text()
    await examine("portal-filed-english")
    assert tab.complaints() == []


async def test_complaint_for_a_business_is_the_businesss(tab, platform, people, examine):
    gateway = platform.gateway
    await tab.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": "id"})
    await tab.go(f"{gateway}/")
    await tab.press("Masuk")
    await tab.arrives("/masuk")
    await examine("portal-sign-in")
    await enter(tab, gateway, ANI[1])
    assert f"Untuk {TIMAH}" in await tab.text()
    await complain(tab, gateway, "Lampu jalan mati")
    await examine("portal-matters-of-a-business")
    await tab.go(f"{gateway}/pengaduan")
    await examine("portal-complaint")

    await tab.go(f"{gateway}/urusan")
    await tab.press(WORDS["id"][2])
    await tab.until("document.body.innerText.includes('Urusan saya')", "for herself")
    assert "Lampu jalan mati" not in await tab.text()
    await complain(tab, gateway, "Urusan Ani sendiri")
    await examine("portal-matters-of-a-person")
    await leave(tab)
    await tab.go(f"{gateway}/masuk")
    assert "Urusan saya" not in await tab.text()

    await enter(tab, gateway, BUDI[1])
    page = await tab.text()
    assert "Lampu jalan mati" in page
    assert "Urusan Ani sendiri" not in page
    await tab.go(f"{gateway}/urusan?lang=en")
    assert "You act for" in await tab.text()
    await examine("portal-matters-english")
    assert tab.complaints() == []
