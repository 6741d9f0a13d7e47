"""A client registers itself (RFC 7591): it waits for another's approval, and works afterwards."""

import json
from datetime import timedelta

from sebalai_shared.caller import Caller
from sebalai_shared.testing.http import system
from sqlalchemy import text

BACK = "https://rp.example/back"
ADMINISTRATOR = Caller(
    kind="civil_servant",
    subject="administrator",
    agency="dinsos-pmd",
    scopes=frozenset({"exchange.manage", "identity.clients"}),
)


def refusal(answer):
    assert answer.headers["Cache-Control"] == "no-store", answer.text
    return answer.status_code, answer.json()["error"]


async def test_nothing_before_approval_and_a_whole_flow_after(
    registrar, metadata, party, signed_in, person
):
    made = await registrar.register(metadata())
    assert made["sebalai_state"] == "requested"
    assert made["registration_client_uri"].endswith(f"/oauth/register/{made['client_id']}")
    one = party(made)
    for path in ("/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke"):
        form = {"grant_type": "authorization_code", "code": "x", "token": "x"}
        answer = await one.post(path, form | one.credentials())
        assert refusal(answer) == (400, "unauthorized_client"), path
    shown = await one.authorize()
    assert shown.status_code == 400
    assert "waits for approval" in shown.text
    assert (await registrar.decide(made["client_id"])).status_code == 200
    one = await signed_in(made)
    body = await one.sign_in()
    claims = (await one.claims_of(body["id_token"])).claims
    assert claims["aud"] == made["client_id"]
    assert claims["sub"] != str(person)  # outside clients see subjects of their own
    assert (await one.refresh(body["refresh_token"])).status_code == 200
    assert (await registrar.kept(made)).json()["sebalai_state"] == "approved"


async def test_who_issued_the_token_does_not_approve_what_registered_by_it(registrar, metadata):
    token = await registrar.initial(ADMINISTRATOR)
    made = await registrar.register(metadata(), token["token"])
    answer = await registrar.decide(made["client_id"], caller=ADMINISTRATOR)
    assert (answer.status_code, answer.json()["type"]) == (
        403,
        "urn:sebalai:problem:own-client-request",
    )


async def test_who_was_handed_the_token_does_not_approve_what_registers_by_it(registrar, metadata):
    keeper = Caller(
        kind="civil_servant", subject="019abcde-0000-7000-8000-00000000000b",
        scopes=frozenset({"identity.clients"}),
    )  # fmt: skip
    token = await registrar.initial(handed_to=keeper.subject)
    assert token["handed_to"] == keeper.subject
    made = await registrar.register(metadata(), token["token"])
    refused = await registrar.decide(made["client_id"], caller=keeper)
    assert (refused.status_code, refused.json()["type"]) == (
        403,
        "urn:sebalai:problem:own-client-request",
    )
    assert (await registrar.decide(made["client_id"])).status_code == 200
    # Nor what it wants later.
    await registrar.kept(made, "PUT", client_name="Bansos Baru")
    assert (await registrar.decide(made["client_id"], caller=keeper)).status_code == 403


async def test_answer_tells_what_was_registered_and_every_default(registrar, metadata):
    made = await registrar.register(
        metadata(
            **{"client_name#en": "Aid for Citizens", "unknown_member": 7},
            contacts=["helpdesk@rp.example"],
            software_id="bansos",
            policy_uri="https://rp.example/privasi",
            scope=None,
        )
    )
    expected = {
        "client_name": "Bansos Warga",
        "client_name#en": "Aid for Citizens",
        "redirect_uris": [BACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "id_token_signed_response_alg": "ES256",
        "introspection_signed_response_alg": "ES256",
        "subject_type": "pairwise",
        "scope": "offline_access openid",
        "tls_client_certificate_bound_access_tokens": False,
        "dpop_bound_access_tokens": False,
        "contacts": ["helpdesk@rp.example"],
        "software_id": "bansos",
        "policy_uri": "https://rp.example/privasi",
    }
    assert {name: made.get(name) for name in expected} == expected
    assert "unknown_member" not in made
    assert len(made["jwks"]["keys"]) == 1


REDIRECT, METADATA = "invalid_redirect_uri", "invalid_client_metadata"
WRONG = [
    ({"redirect_uris": [f"{BACK}#part"]}, REDIRECT),
    ({"redirect_uris": ["http://rp.example/back"]}, REDIRECT),
    ({"redirect_uris": ["id.go.rp:/back"]}, REDIRECT),
    ({"redirect_uris": None}, REDIRECT),
    ({"redirect_uris": [f"{BACK}/{n}" for n in range(11)]}, REDIRECT),
    ({"redirect_uris": BACK}, REDIRECT),
    ({"post_logout_redirect_uris": ["javascript:x"]}, METADATA),
    ({"grant_types": ["implicit"]}, METADATA),
    ({"grant_types": []}, METADATA),
    ({"response_types": ["token"]}, METADATA),
    ({"response_types": []}, METADATA),
    ({"token_endpoint_auth_method": "client_secret_basic"}, METADATA),
    ({"token_endpoint_auth_method": "none"}, METADATA),
    ({"token_endpoint_auth_signing_alg": "RS256"}, METADATA),
    ({"tls_client_certificate_bound_access_tokens": True}, METADATA),
    ({"id_token_signed_response_alg": "none"}, METADATA),
    ({"request_object_signing_alg": "none"}, METADATA),
    ({"id_token_encrypted_response_alg": "RSA-OAEP"}, METADATA),
    ({"jwks": None}, METADATA),
    ({"jwks": {"keys": []}}, METADATA),
    ({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, METADATA),
    ({"jwks_uri": "https://rp.example/jwks"}, METADATA),
    ({"scope": "openid platform.operate"}, METADATA),
    ({"scope": "openid archive.write"}, METADATA),
    ({"scope": "openid unheard"}, METADATA),
    ({"logo_uri": "https://other.example/logo.png"}, METADATA),
    ({"client_name": "Bansos 1971014101909902"}, METADATA),
    ({"contacts": ["1971014101909902"]}, METADATA),
    ({"client_name": "Bansos \u202eagraW"}, METADATA),
    ({"client_name": "x" * 101}, METADATA),
    ({"client_name#!": "x"}, METADATA),
    ({"client_name": "\ud800"}, METADATA),
    ({"contacts": ["a\x00b"]}, METADATA),
    ({"dpop_bound_access_tokens": "yes"}, METADATA),
    ({"subject_type": "pairwise", "redirect_uris": [BACK, "https://b.example/"]},
         METADATA),
    ({"software_statement": "no.jwt"}, "invalid_software_statement"),
]  # fmt: skip
# Where the name of what is wrong is another than of what was changed.
ELSEWHERE = {"token_endpoint_auth_method=none": "jwks", "client_name#!": "client_name",
             "subject_type=pairwise": "sector_identifier_uri", "jwks_uri=": "jwks"}  # fmt: skip


def named(change):
    name, value = next(iter(change.items()))
    for start, other in ELSEWHERE.items():
        if f"{name}={value}".startswith(start):
            return other
    return name


async def test_metadata_that_is_wrong_is_refused_by_its_name(registrar, metadata):
    token = (await registrar.initial())["token"]
    for change, code in WRONG:
        answer = await registrar.send(token, metadata(**change))
        assert refusal(answer) == (400, code), (change, answer.text)
        assert answer.json()["error_description"].startswith(named(change)), (change, answer.text)
        assert "1971014101909902" not in answer.text
    # What is refused uses nothing up.
    assert (await registrar.send(token, metadata())).status_code == 201


async def test_well_formed_software_statement_has_no_approved_issuer(
    registrar, metadata, by_hand, key
):
    statement = by_hand({"alg": "ES256", "typ": "JWT"}, {"software_id": "x"}, key)
    token = (await registrar.initial())["token"]
    answer = await registrar.send(token, metadata(software_statement=statement))
    assert refusal(answer) == (400, "unapproved_software_statement")


async def test_body_that_is_no_object_is_refused(registrar, metadata, call):
    token = (await registrar.initial())["token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for body in ("[]", "{", '{"a": 1, "a": 2}', "[" * 20_000, "x" * 40_000, '"a"'):
        answer = await call("POST", "/oauth/register", content=body, headers=headers)
        assert refusal(answer) == (400, METADATA)
    headers["Content-Type"] = "text/plain"
    answer = await call("POST", "/oauth/register", content="{}", headers=headers)
    assert refusal(answer) == (400, METADATA)
    deep = json.loads("[" * 900 + "]" * 900)
    assert (await registrar.send(token, metadata(unknown=deep))).status_code == 201


async def test_without_a_good_initial_token_nobody_registers(registrar, metadata, call, clock):
    token = await registrar.initial(registrations=1)
    for bad in (None, "x", token["token"][:-1]):
        answer = await registrar.send(bad, metadata())
        assert refusal(answer) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    # What is refused uses nothing up.
    assert (await registrar.send(token["token"], metadata(scope="unheard"))).status_code == 400
    assert (await registrar.send(token["token"], metadata())).status_code == 201
    assert refusal(await registrar.send(token["token"], metadata())) == (401, "invalid_token")
    late = (await registrar.initial())["token"]
    clock.move(timedelta(days=8))
    assert refusal(await registrar.send(late, metadata())) == (401, "invalid_token")


async def test_guesses_at_tokens_are_slowed_by_their_source(registrar, metadata):
    for _ in range(20):
        assert (await registrar.send("guess", metadata())).status_code == 401
    answer = await registrar.send("guess", metadata())
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (429, True)


async def test_public_client_is_told_it_waits_and_holds_no_key(registrar, metadata, party):
    public = metadata(
        token_endpoint_auth_method="none",
        jwks=None,
        application_type="native",
        redirect_uris=["http://127.0.0.1/back"],
    )
    made = await registrar.register(public)
    assert (made["subject_type"], "jwks" in made) == ("public", False)
    one = party(made, None)
    assert refusal(await one.redeem("x")) == (400, "unauthorized_client")
    assert (await registrar.decide(made["client_id"], "refuse")).status_code == 200
    assert "refused" in (await one.redeem("x")).json()["error_description"]
    told = (await registrar.kept(made)).json()
    assert (told["sebalai_state"], told["sebalai_reason"]) == ("refused", "sesuai SK")


async def test_unproven_client_that_waits_is_told_nothing(registrar, metadata, party, other_key):
    made = await registrar.register(metadata())
    stranger = party(made, other_key)
    assert refusal(await stranger.redeem("x")) == (401, "invalid_client")


async def test_client_may_use_the_grants_it_registered_alone(registrar, metadata, signed_in):
    made = await registrar.approved(metadata(grant_types=["authorization_code"]))
    one = await signed_in(made)
    assert "refresh_token" not in await one.sign_in()
    answer = await one.token(grant_type="refresh_token", refresh_token="x")
    assert refusal(answer) == (400, "unauthorized_client")


async def test_system_registers_for_the_bus(registrar, metadata, key, party):
    made = await registrar.approved(
        metadata(grant_types=["client_credentials"], redirect_uris=None, scope=None)
    )
    one = party(made)
    body = (await one.token(grant_type="client_credentials")).json()
    assert body["scope"] == "bus.call"


async def test_acts_tell_who_and_secrets_are_nowhere(registrar, metadata, facts, database):
    token = await registrar.initial()
    made = await registrar.register(metadata(), token["token"])
    kinds = [kind for kind, _ in await facts("identity.")]
    assert kinds[-2:] == ["identity.initial-token.issued.v1", "identity.client.requested.v1"]
    told = dict(await facts("identity."))["identity.client.requested.v1"]
    assert (told["by"], told["asked_by"]) == (token["id"], "administrator")
    async with database.transaction() as session:
        for table in ("initial_token", "client_registration", "client_request", "outbox", "act"):
            query = text(f"SELECT * FROM {table}")  # noqa: S608 - names of ours
            rows = str((await session.execute(query)).all())
            assert token["token"] not in rows
            assert made["registration_access_token"] not in rows


async def test_operator_does_not_write_over_what_a_client_registered(
    registrar, metadata, call, operator, other_key
):
    made = await registrar.approved(metadata())
    (one,) = (await call("GET", "/v1/applications", operator)).json()["items"]
    assert one["client_id"] == made["client_id"]
    assert one["name"].startswith("bansos-warga-")
    body = {
        "agency": "dinsos-pmd", "name": one["name"], "client": {"kind": "agency_web"},
        "public_key": other_key.as_dict(private=False),
    }  # fmt: skip
    answer = await call("POST", "/v1/applications", operator, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/client")
    asked = body | {"name": "lain", "client": {"jwks_uri": "https://rp.example/jwks"}}
    assert (await call("POST", "/v1/applications", operator, json=asked)).status_code == 422


async def test_discovery_names_the_endpoint_in_both_documents(call):
    for name in ("openid-configuration", "oauth-authorization-server"):
        document = (await call("GET", f"/.well-known/{name}")).json()
        assert document["registration_endpoint"] == "https://bus.example/oauth/register"


async def test_initial_tokens_are_the_agencys_administrators(registrar, call):
    wanted = registrar.wanted_token()
    for caller, status in (
        (system("ID-BB/GOV/dinsos-pmd/bansos"), 403),
        (system("ID-BB/GOV/dinkes/lain", "exchange.manage"), 403),
        (None, 401),
    ):
        answer = await call("POST", "/v1/initial-access-tokens", caller, json=wanted)
        assert answer.status_code == status
    token = await registrar.initial()
    stranger = system("ID-BB/GOV/dinkes/lain", "exchange.manage")
    path = f"/v1/initial-access-tokens/{token['id']}/revoke"
    assert (await call("POST", path, stranger)).status_code == 404
    listed = (await call("GET", "/v1/initial-access-tokens", ADMINISTRATOR)).json()["items"]
    assert [one["id"] for one in listed] == [token["id"]]
    assert "token" not in listed[0]
    assert (await call("POST", path, ADMINISTRATOR)).json()["revoked_at"] is not None
    assert (await registrar.send(token["token"], {})).status_code == 401
    for more in ({"registrations": 101}, {"valid_until": "2027-11-24T00:00:00Z"}):
        body = registrar.wanted_token(**more)
        answer = await call("POST", "/v1/initial-access-tokens", ADMINISTRATOR, json=body)
        assert answer.status_code == 422


async def test_people_are_shown_whom_they_let_in_and_nothing_of_others(
    registrar, metadata, party, sign_in, person
):
    made = await registrar.approved(
        metadata(
            **{"client_name#en": "Aid for Citizens"},
            logo_uri="https://rp.example/logo.png",
            policy_uri="https://rp.example/privasi",
            tos_uri="https://rp.example/syarat",
            client_uri="https://rp.example/",
        )
    )
    one = party(made)
    await sign_in(person, one, agrees=False)
    sent = await one.authorize()
    path, _, query = sent.headers["Location"].partition("?")
    for language, name in (("id", "Izinkan Bansos Warga?"), ("en", "Allow Aid for Citizens?")):
        page = await one.raw_authorize(f"{query}&lang={language}", path=path)
        assert name in page.text
        for address in ("logo.png", "privasi", "syarat", ""):
            assert f'"https://rp.example/{address}"' in page.text
        policy = page.headers["Content-Security-Policy"]
        assert "img-src 'self' https://rp.example;" in policy
        assert "default-src 'none'" in policy


async def test_number_in_the_name_of_a_member_is_not_said_again(registrar, metadata):
    token, nik = (await registrar.initial())["token"], "1971014101909902"
    for name in (nik, f"x{chr(0xD800)}{nik}", f"client_name#{nik}"):
        answer = await registrar.send(token, metadata() | {name: "x"})
        assert (name, answer.status_code) == (name, 400)
        assert nik not in answer.text
    answer = await registrar.send(token, metadata() | {f"x{chr(0xD800)}": nik})
    assert (answer.status_code, nik in answer.text) == (400, False)
