"""Dynamic OP: what a relying party registers by itself (OpenID Connect Registration 1.0, RFC 7591)."""

from joserfc.jwk import ECKey
from oidc_checks.party import DYNAMIC_BACK, failed, public, registration
from oidc_checks.registry import check

DYNAMIC = "Dynamic"
KEPT_SECONDS = 61  # providers may keep keys for a minute
OTHER_BACK = "http://localhost:9/dynamic/back"


def fresh_key():
    return ECKey.generate_key("P-256")


def published(op, path, document):
    op.bell.documents[path] = document
    return f"{op.bell.address}{path}"


@check(DYNAMIC, "oidcc-redirect-uri-regfrag")
async def fragment_registered(op):
    answer = await op.try_register(
        registration(fresh_key(), redirect_uris=[f"{DYNAMIC_BACK}#foobar"])
    )
    failed(answer, "invalid_redirect_uri", status=(400,))


@check(DYNAMIC, "oidcc-registration-jwks-uri")
async def keys_at_an_address(op):
    key = fresh_key()
    address = published(op, "/keys", {"keys": [public(key)]})
    party = await op.register(key, jwks=None, jwks_uri=address)
    await party.tokens()


async def _shown(op, name):
    """What the client registered under this name stands on the page that asks the person."""
    address = f"http://127.0.0.1:9/dynamic/{name}"
    party, browser = await op.register(fresh_key(), **{name: address}), op.fresh_browser()
    await op.party().code(browser)
    browser.looks = True
    landing = await party.authorize(browser)
    assert not landing.is_at_client, landing.url
    assert landing.status == 200
    assert f'"{address}"' in landing.text, landing.text[:2000]


@check(DYNAMIC, "oidcc-registration-logo-uri")
async def logo_shown(op):
    await _shown(op, "logo_uri")


@check(DYNAMIC, "oidcc-registration-policy-uri")
async def policy_shown(op):
    await _shown(op, "policy_uri")


@check(DYNAMIC, "oidcc-registration-tos-uri")
async def terms_shown(op):
    await _shown(op, "tos_uri")


@check(DYNAMIC, "oidcc-registration-sector-bad")
async def sector_without_the_address(op):
    address = published(op, "/sector-bad", ["https://other.example/back"])
    wanted = registration(fresh_key(), subject_type="pairwise", sector_identifier_uri=address)
    failed(await op.try_register(wanted), "invalid_client_metadata", status=(400,))


@check(DYNAMIC, "oidcc-registration-sector-uri")
async def sector_sees_one_subject(op):
    address = published(op, "/sector", [DYNAMIC_BACK, OTHER_BACK])
    if op.facts.get("https_alone"):
        # The clients of the checks have no TLS: there is nothing more to see of such a provider.
        wanted = registration(fresh_key(), subject_type="pairwise", sector_identifier_uri=address)
        failed(await op.try_register(wanted), "invalid_client_metadata", status=(400,))
        return
    subjects = []
    for back in (DYNAMIC_BACK, OTHER_BACK):
        party = await op.register(
            fresh_key(),
            redirect_uris=[back],
            subject_type="pairwise",
            sector_identifier_uri=address,
        )
        _, claims = await party.tokens()
        subjects.append(claims["sub"])
    _, claims = await op.party().tokens()
    assert subjects[0] == subjects[1]
    assert claims["sub"] != subjects[0]


@check(DYNAMIC, "oidcc-refresh-token-rp-key-rotation")
async def keys_turn(op):
    key, later = fresh_key(), fresh_key()
    address = published(op, "/turning", {"keys": [public(key)]})
    party = await op.register(key, jwks=None, jwks_uri=address)
    body, claims = await party.tokens(scope="openid offline_access", prompt="consent")
    published(op, "/turning", {"keys": [public(later)]})
    await op.pass_time(KEPT_SECONDS)
    party.key = later
    credentials = party.credentials(party.assertion({"kid": later.thumbprint()}))
    form = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    answer = await party.token(form, credentials)
    assert answer.status_code == 200, answer.text
    _, again = await op.read(answer.json()["id_token"])
    assert again["sub"] == claims["sub"]
