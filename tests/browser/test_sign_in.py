"""A person enrols a passkey, signs in by it, agrees and takes it back, in a real browser."""

import base64
import hashlib
from urllib.parse import urlencode

import pytest

PASSWORD = "tepung garam jembatan biru"
LOGIN = "siti.rahma"
BUSINESS = "PT Contoh Timah Sejahtera"
VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


@pytest.fixture
def asked(identity, client_id, back):
    def asked(**more):
        request = {
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": back,
            "scope": "openid profile",
            "state": "st",
            "nonce": "no",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | more
        return f"{identity}/oauth/authorize?{urlencode(request)}"

    return asked


async def _by_password(tab, button="Masuk"):
    await tab.fill("login", LOGIN)
    await tab.fill("password", PASSWORD)
    await tab.press(button)


async def test_passkey_is_enrolled_and_signs_in_to_an_application_with_consent(
    tab, identity, asked, landed, examine
):
    await tab.authenticator()
    await tab.send("Emulation.setLocaleOverride", locale="id-ID")
    await tab.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": "id"})
    await tab.go(f"{identity}/sign-in")
    assert "Masuk dengan kunci sandi" in await tab.text()
    await examine("sign-in")
    await _by_password(tab)
    await tab.arrives("/my-access")
    for page in ("one-time", "password"):
        await tab.go(f"{identity}/my-access/{page}")
        await examine(page)
    await tab.go(f"{identity}/my-access")
    await tab.fill("label", "Laptop kantor")
    await tab.press("Tambah kunci sandi")
    await tab.until("document.body.innerText.includes('Laptop kantor')", "the new passkey")
    await examine("my-access")
    await tab.press("Keluar")
    await tab.arrives("/sign-out")
    await examine("sign-out")
    await tab.press("Keluar")
    await tab.until("document.body.innerText.includes('Anda sudah keluar')", "signed out")

    await tab.send("Page.navigate", url=asked())
    await tab.arrives("/sign-in")
    assert "untuk melanjutkan ke" in await tab.text()
    await tab.press("Masuk dengan kunci sandi")
    await tab.arrives("/consent")
    await examine("consent")
    # The whole way back, through hosts of the application that we do not know, is one chain of
    # redirects from the form, and Chromium holds a `form-action` against each: so there is none.
    await tab.press("Izinkan")
    await tab.until(f"location.href.startsWith('{landed}')", "the application")
    assert "True" in await tab.text()
    assert tab.complaints() == []

    await tab.go(f"{identity}/my-access")
    assert "2 dari 3" in await tab.text()
    assert "perizinan" in await tab.text()
    await tab.press("Tarik izin")
    await tab.until("document.body.innerText.includes('Belum ada aplikasi')", "withdrawn")


async def test_the_examination_notices_a_fault(tab, identity, examine):
    await tab.go(f"{identity}/sign-in")
    await tab.run("document.querySelector('label').remove()")
    with pytest.raises(AssertionError, match="label"):
        await examine("faulty")


async def test_declining_leads_back_without_a_code(tab, identity, asked, landed):
    await tab.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": "id"})
    await tab.send("Page.navigate", url=asked(prompt="consent"))
    await tab.arrives("/sign-in")
    await _by_password(tab)
    await tab.arrives("/consent")
    await tab.press("Tolak")
    await tab.until(f"location.href.startsWith('{landed}')", "the application")
    assert "error=access_denied" in await tab.run("location.search")


WORDS = {"id": ("Masuk", "Diri saya sendiri", "Izinkan"), "en": ("Sign in", "Myself", "Allow")}


@pytest.mark.parametrize("language", WORDS)
async def test_who_represents_a_business_chooses_whom_they_act_for(
    tab, asked, landed, examine, language
):
    sign_in, themself, allow = WORDS[language]
    wanted = asked(scope="openid business", ui_locales=language, prompt="login consent")
    await tab.send("Page.navigate", url=wanted)
    await tab.arrives("/sign-in")
    await _by_password(tab, sign_in)
    await tab.arrives("/acting-for")
    assert themself in await tab.text()
    await examine(f"acting-for-{language}")
    await tab.press(BUSINESS)
    await tab.arrives("/consent")
    assert BUSINESS in await tab.text()
    await examine(f"consent-of-a-business-{language}")
    await tab.press(allow)
    await tab.until(f"location.href.startsWith('{landed}')", "the application")
    assert "code=" in await tab.run("location.search")


async def test_everything_but_passkeys_works_without_scripts(tab, asked, landed):
    await tab.send("Emulation.setScriptExecutionDisabled", value=True)
    await tab.send("Page.navigate", url=asked(ui_locales="en", prompt="login consent"))
    await tab.arrives("/sign-in")
    page = await tab.text()
    assert "With a password" in page
    assert "passkey" not in page
    await _by_password(tab, "Sign in")
    await tab.arrives("/consent")
    await tab.press("Allow")
    await tab.until(f"location.href.startsWith('{landed}')", "the application")
    assert "code=" in await tab.run("location.search")


@pytest.mark.parametrize("language", ["id", "en"])
async def test_every_other_page_is_for_everybody(tab, identity, examine, language):
    await tab.go(f"{identity}/sign-in?lang={language}")
    await tab.fill("login", "nobody")
    await tab.fill("password", "wrong")
    await tab.run("document.querySelector('form').submit()")
    await tab.until("document.querySelector('[role=alert]:not([hidden])')", "the refusal")
    await examine(f"refused-{language}")
    await tab.go(f"{identity}/sign-in/invitation?lang={language}")
    await examine(f"invitation-{language}")
    await tab.go(f"{identity}/consent?interaction=none&lang={language}")
    await examine(f"ended-{language}")
    await tab.go(f"{identity}/device?lang={language}")
    await examine(f"device-{language}")
    await tab.fill("user_code", "BCDF-GHJK")
    await tab.run("document.querySelector('form').submit()")
    await tab.until("document.querySelector('[role=alert]:not([hidden])')", "the refusal")
    await examine(f"device-refused-{language}")
    await tab.go(f"{identity}/oauth/authorize?lang={language}")
    await examine(f"application-refused-{language}")
