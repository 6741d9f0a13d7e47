"""A client keeps its own registration (RFC 7592), and its keys where it says they stand."""

from datetime import timedelta

import pytest
from joserfc import jwt

ISSUER = "https://bus.example"
BACK, NEW = "https://rp.example/back", "https://rp.example/new"


def refusal(answer):
    return answer.status_code, answer.json()["error"]


async def applications(call, operator):
    return (await call("GET", "/v1/applications", operator)).json()["items"]


async def test_what_widens_waits_while_the_old_goes_on(registrar, metadata, call, operator):
    made = await registrar.approved(metadata())
    answer = await registrar.kept(made, "PUT", redirect_uris=[BACK, NEW], scope="openid email")
    wider = answer.json()
    assert (answer.status_code, wider["sebalai_state"], wider["sebalai_change"]) == (
        200,
        "approved",
        "requested",
    )
    assert wider["redirect_uris"] == [BACK]
    assert wider["registration_access_token"] != made["registration_access_token"]
    (one,) = await applications(call, operator)
    assert one["client"]["redirect_uris"] == [BACK]
    assert (await registrar.agree(made["client_id"])).status_code == 200
    told = (await registrar.kept(wider)).json()
    assert (told["redirect_uris"], told["scope"]) == ([BACK, NEW], "email openid")
    assert "sebalai_change" not in told
    (one,) = await applications(call, operator)
    assert one["client"]["redirect_uris"] == [BACK, NEW]
    assert one["scopes"] == ["bus.call", "email", "openid"]


async def test_nobody_widens_a_client_alone_whoever_asked_for_it(registrar, metadata):
    """An approver may hold the token of the registration himself."""
    made = await registrar.approved(metadata())
    wider = (await registrar.kept(made, "PUT", redirect_uris=[BACK, NEW])).json()
    first = await registrar.decide(made["client_id"])
    assert (first.status_code, first.json()["state"]) == (200, "requested")
    assert first.json()["confirmed_by"] == "other"
    again = await registrar.decide(made["client_id"])
    assert (again.status_code, again.json()["type"].split(":")[-1]) == (403, "own-client-request")
    assert (await registrar.kept(wider)).json()["redirect_uris"] == [BACK]
    # Another wish begins anew: what was confirmed was not this one.
    other = (await registrar.kept(wider, "PUT", redirect_uris=[BACK, NEW, f"{NEW}er"])).json()
    assert (await registrar.agree(made["client_id"])).json()["state"] == "approved"
    assert len((await registrar.kept(other)).json()["redirect_uris"]) == 3


async def test_lost_answer_to_a_change_locks_nobody_out(registrar, metadata):
    """The token it was sent with is good until the new one was used once."""
    made = await registrar.approved(metadata())
    lost = (await registrar.kept(made, "PUT", contacts=["a@rp.example"])).json()
    assert (await registrar.kept(made)).json()["contacts"] == ["a@rp.example"]
    arrived = (await registrar.kept(made, "PUT", contacts=["b@rp.example"])).json()
    # Nobody ever read the answer that was lost: its token is none.
    assert refusal(await registrar.kept(lost)) == (401, "invalid_token")
    assert (await registrar.kept(made)).json()["contacts"] == ["b@rp.example"]
    assert (await registrar.kept(arrived)).json()["contacts"] == ["b@rp.example"]
    for method in ("GET", "PUT", "DELETE"):
        assert refusal(await registrar.kept(made, method)) == (401, "invalid_token"), method
    assert (await registrar.kept(arrived, "DELETE")).status_code == 204


async def test_nothing_is_asked_for_in_the_name_of_a_revoked_token(registrar, metadata):
    token = await registrar.initial()
    made = await registrar.register(metadata(), token["token"])
    assert (await registrar.decide(made["client_id"])).status_code == 200
    await registrar.revoke(token)
    wider = await registrar.kept(made, "PUT", redirect_uris=[BACK, NEW])
    assert refusal(wider) == (400, "invalid_client_metadata")
    fewer = await registrar.kept(made, "PUT", scope="openid")
    assert (fewer.status_code, fewer.json()["scope"]) == (200, "openid")


async def test_refused_change_leaves_what_was(registrar, metadata):
    made = await registrar.approved(metadata())
    wider = (await registrar.kept(made, "PUT", client_name="Bank Anda")).json()
    assert (await registrar.decide(made["client_id"], "refuse")).status_code == 200
    told = (await registrar.kept(wider)).json()
    assert (told["client_name"], told["sebalai_change"]) == ("Bansos Warga", "refused")
    again = (await registrar.kept(wider, "PUT", contacts=["a@rp.example"])).json()
    assert (again["contacts"], "sebalai_change" in again) == (["a@rp.example"], False)


async def test_later_wish_takes_the_place_of_the_one_before(registrar, metadata):
    made = await registrar.register(metadata())
    later = (await registrar.kept(made, "PUT", client_name="Bansos Baru")).json()
    assert (later["sebalai_state"], later["client_name"]) == ("requested", "Bansos Baru")
    assert (await registrar.decide(made["client_id"])).status_code == 200
    assert (await registrar.kept(later)).json()["client_name"] == "Bansos Baru"


async def test_client_takes_away_alone_and_its_tokens_end(registrar, metadata, signed_in, clock):
    made = await registrar.approved(metadata())
    one = await signed_in(made)
    body = await one.sign_in()
    answer = await registrar.kept(made, "PUT", scope="openid offline_access")
    assert (answer.json()["scope"], "sebalai_change" in answer.json()) == (
        "offline_access openid",
        False,
    )
    assert refusal(await one.refresh(body["refresh_token"])) == (400, "invalid_grant")
    assert (await one.introspect(body["access_token"]))["active"] is False


async def test_approved_wish_that_takes_away_ends_tokens_too(registrar, metadata, signed_in):
    made = await registrar.approved(metadata())
    one = await signed_in(made)
    body = await one.sign_in()
    fewer = {"scope": "openid offline_access", "redirect_uris": [BACK, NEW]}
    wider = await registrar.kept(made, "PUT", **fewer)
    assert wider.json()["sebalai_change"] == "requested"
    assert (await one.introspect(body["access_token"]))["active"] is True
    assert (await registrar.agree(made["client_id"])).status_code == 200
    assert refusal(await one.refresh(body["refresh_token"])) == (400, "invalid_grant")
    assert (await one.introspect(body["access_token"]))["active"] is False


async def test_scope_an_operator_took_away_is_in_no_later_token(
    registrar, metadata, signed_in, call, operator
):
    made = await registrar.approved(metadata())
    one = await signed_in(made)
    body, code = await one.sign_in(), await one.code()
    (application,) = await applications(call, operator)
    key = made["jwks"]["keys"][0]
    wanted = {"agency": "dinsos-pmd", "name": application["name"], "public_key": key}

    async def leave(*scopes):
        more = {"scopes": list(scopes)}
        answer = await call("POST", "/v1/applications", operator, json=wanted | more)
        assert answer.status_code == 201, answer.text

    await leave("openid", "offline_access")
    body = (await one.refresh(body["refresh_token"])).json()
    assert set(body["scope"].split()) == {"openid", "offline_access"}
    await leave("openid")
    assert refusal(await one.refresh(body["refresh_token"])) == (400, "invalid_grant")
    redeemed = (await one.redeem(code)).json()
    assert (redeemed["scope"], "refresh_token" in redeemed) == ("openid", False)


async def test_key_told_under_another_kid_is_believed_by_it(registrar, metadata, key, party):
    own = key.as_dict(private=False) | {"kid": "one"}
    asked = metadata(grant_types=["client_credentials"], scope=None, jwks={"keys": [own]})
    made = await registrar.approved(asked)
    told = await registrar.kept(made, "PUT", jwks={"keys": [own | {"kid": "two"}]})
    assert told.status_code == 200, told.text
    for kid, status in (("two", 200), (key.thumbprint(), 200), ("one", 401)):
        one = party(made)
        one.kid = kid
        answer = await one.token(grant_type="client_credentials")
        assert (kid, answer.status_code) == (kid, status)


async def test_operators_taking_away_is_not_undone_by_the_client(
    registrar, metadata, call, operator
):
    made = await registrar.approved(metadata())
    (one,) = await applications(call, operator)
    body = {"agency": "dinsos-pmd", "name": one["name"], "scopes": ["openid"]}
    body["public_key"] = made["jwks"]["keys"][0]
    assert (await call("POST", "/v1/applications", operator, json=body)).status_code == 201
    answer = (await registrar.kept(made, "PUT")).json()
    assert (answer["scope"], answer["sebalai_change"]) == ("openid", "requested")
    (one,) = await applications(call, operator)
    assert one["scopes"] == ["bus.call", "openid"]


async def test_new_keys_hold_at_once_and_old_ones_end(registrar, metadata, key, other_key, party):
    made = await registrar.approved(metadata(grant_types=["client_credentials"], scope=None))
    jwks = {"keys": [other_key.as_dict(private=False)]}
    second = (await registrar.kept(made, "PUT", jwks=jwks)).json()
    assert "sebalai_change" not in second
    granted = await party(made, other_key).token(grant_type="client_credentials")
    assert granted.status_code == 200, granted.text
    old = await party(made).token(grant_type="client_credentials")
    assert refusal(old) == (401, "invalid_client")
    # A key that ended stays so: alone it is no key, and nothing of the wish takes effect.
    back = await registrar.kept(second, "PUT", jwks=made["jwks"], contacts=["x@rp.example"])
    assert refusal(back) == (400, "invalid_client_metadata")
    assert "contacts" not in (await registrar.kept(second)).json()


async def test_put_without_the_clients_own_id_or_with_our_members_is_refused(registrar, metadata):
    made = await registrar.approved(metadata())
    for change in (
        {"client_id": None},
        {"client_id": "01999999-0000-7000-8000-000000000000"},
        {"registration_access_token": "x"},
        {"client_secret": "x"},
        {"redirect_uris": [f"{BACK}#x"]},
    ):
        answer = await registrar.kept(made, "PUT", **change)
        assert answer.status_code == 400, change
    assert (await registrar.kept(made)).status_code == 200


async def test_registration_token_opens_its_own_client_alone_and_the_old_one_nothing(
    registrar, metadata
):
    one, other = await registrar.approved(metadata()), await registrar.register(metadata())
    crossed = one | {"client_id": other["client_id"]}
    malformed = one | {"client_id": "not-an-id"}
    fresh = (await registrar.kept(one, "PUT")).json()
    assert (await registrar.kept(fresh)).status_code == 200
    for made in (crossed, malformed, one, one | {"registration_access_token": "x"}):
        for method in ("GET", "PUT", "DELETE"):
            answer = await registrar.kept(made, method)
            assert refusal(answer) == (401, "invalid_token"), (made, method)
    assert (await registrar.kept(fresh)).status_code == 200


async def test_deleted_client_is_gone_with_its_tokens_for_good(
    registrar, metadata, signed_in, call, operator, facts
):
    made = await registrar.approved(metadata())
    one = await signed_in(made)
    body = await one.sign_in()
    waits = (await registrar.kept(made, "PUT", client_name="Lain")).json()
    answer = await registrar.kept(waits, "DELETE")
    assert (answer.status_code, answer.content) == (204, b"")
    assert refusal(await registrar.kept(waits)) == (401, "invalid_token")
    assert refusal(await one.refresh(body["refresh_token"])) == (401, "invalid_client")
    assert (await one.authorize()).status_code == 400
    (application,) = await applications(call, operator)
    assert application["state"] == "ended"
    path = f"/v1/applications/{application['id']}/resume"
    assert (await call("POST", path, operator)).status_code == 409
    kinds = [kind for kind, _ in await facts("identity.")]
    assert kinds[-2:] == ["identity.client.retracted.v1", "identity.application.ended.v1"]


async def test_deleted_before_approval_is_nothing_to_approve(registrar, metadata, call, operator):
    made = await registrar.register(metadata())
    assert (await registrar.kept(made, "DELETE")).status_code == 204
    with pytest.raises(ValueError, match="not enough"):
        await registrar.decide(made["client_id"])
    assert await applications(call, operator) == []


async def test_wishes_that_wait_are_so_many_a_day(registrar, metadata, clock):
    made = await registrar.register(metadata())
    for _ in range(19):
        answer = await registrar.kept(made, "PUT")
        assert answer.status_code == 200, answer.text
        made = answer.json()
    answer = await registrar.kept(made, "PUT")
    assert (refusal(answer)[0], answer.headers["Retry-After"]) == (429, "86400")
    assert (await registrar.kept(made)).json()["sebalai_state"] == "requested"
    clock.move(timedelta(days=1, seconds=1))
    assert (await registrar.kept(made, "PUT")).status_code == 200


async def test_keys_are_read_where_the_client_says_and_anew_when_they_turn(
    registrar, metadata, documents, other_key, party
):
    own = metadata()["jwks"]["keys"]
    documents.served["/jwks"] = {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, *own]}
    made = await registrar.approved(
        metadata(
            jwks=None,
            jwks_uri=f"{documents.address}/jwks",
            grant_types=["client_credentials"],
            scope=None,
        )
    )
    assert "jwks" not in made
    assert (await party(made).token(grant_type="client_credentials")).status_code == 200
    documents.served["/jwks"] = {"keys": [other_key.as_dict(private=False)]}
    asked = len(documents.asked)
    turned = await party(made, other_key).token(grant_type="client_credentials")
    assert turned.status_code == 200, turned.text
    # The one that is gone from there signs no more, and who makes up keys starts no more calls.
    for _ in range(3):
        old = await party(made).token(grant_type="client_credentials")
        assert refusal(old) == (401, "invalid_client")
    assert len(documents.asked) == asked + 1
    registrar.clock.move(timedelta(seconds=11))
    documents.served["/jwks"] = (302, f"Location: {documents.address}/other\r\n", b"")
    documents.served["/other"] = {"keys": own}
    old = await party(made).token(grant_type="client_credentials")
    assert refusal(old) == (401, "invalid_client")
    assert "/other" not in documents.asked


async def test_a_key_taken_off_its_address_signs_no_more_than_an_hour(
    registrar, metadata, documents, other_key, party
):
    kept = {"grant_types": ["client_credentials"], "scope": None}
    documents.served["/jwks"] = metadata()["jwks"]
    made = await registrar.approved(
        metadata(jwks=None, jwks_uri=f"{documents.address}/jwks", **kept)
    )
    assert (await party(made).token(grant_type="client_credentials")).status_code == 200
    documents.served["/jwks"] = {"keys": [other_key.as_dict(private=False)]}
    registrar.clock.move(timedelta(minutes=59))
    assert (await party(made).token(grant_type="client_credentials")).status_code == 200
    registrar.clock.move(timedelta(minutes=1))
    leaked = await party(made).token(grant_type="client_credentials")
    assert refusal(leaked) == (401, "invalid_client")


async def test_old_copy_of_the_keys_ends_none_for_good(
    registrar, metadata, documents, key, other_key, party
):
    """At a wish, at its approval and at a reading: the key that stands there now is believed."""
    one, two = ({"keys": [made.as_dict(private=False)]} for made in (key, other_key))
    documents.served["/jwks"] = one
    address = {"jwks": None, "jwks_uri": f"{documents.address}/jwks", "scope": None}
    made = await registrar.approved(metadata(grant_types=["client_credentials"], **address))

    async def signs(own):
        registrar.clock.move(timedelta(seconds=11))
        answer = await party(made, own).token(grant_type="client_credentials")
        return answer.status_code

    await registrar.kept(made, "PUT", client_name="Bansos Baru")
    documents.served["/jwks"] = two
    assert await signs(other_key) == 200
    assert (await registrar.agree(made["client_id"])).status_code == 200
    documents.served["/jwks"] = {"keys": []}
    assert await signs(other_key) == 200
    documents.served["/jwks"] = one
    assert await signs(key) == 200
    documents.served["/jwks"] = two
    assert await signs(other_key) == 200


async def test_sector_lists_every_redirect_address_and_sees_one_subject(
    registrar, metadata, documents, signed_in
):
    other = "https://other.example/back"
    documents.served["/sector"] = [BACK, other]
    address = f"{documents.address}/sector"
    subjects = set()
    for redirects in ([BACK], [other, BACK]):
        made = await registrar.approved(
            metadata(redirect_uris=redirects, sector_identifier_uri=address)
        )
        one = await signed_in(made)
        subjects.add((await one.claims_of((await one.sign_in())["id_token"])).claims["sub"])
    assert len(subjects) == 1
    token = (await registrar.initial())["token"]
    for wrong in ([BACK], {"a": 1}, (200, "", b"no"), (404, "", b""), (200, "", b" " * 70_000)):
        documents.served["/sector"] = wrong
        answer = await registrar.send(
            token, metadata(redirect_uris=[BACK, other], sector_identifier_uri=address)
        )
        assert refusal(answer) == (400, "invalid_client_metadata")


async def test_private_addresses_are_not_called(registrar, metadata):
    token = (await registrar.initial())["token"]
    for address in ("http://127.0.0.1:9/jwks", "https://169.254.169.254/jwks", "https://10.0.0.1/"):
        answer = await registrar.send(token, metadata(jwks=None, jwks_uri=address))
        assert refusal(answer) == (400, "invalid_client_metadata")
        assert answer.json()["error_description"].startswith("jwks_uri")


async def test_request_signed_by_a_key_that_is_new_at_its_address_is_read(
    registrar, metadata, documents, other_key, signed_in
):
    documents.served["/jwks"] = metadata()["jwks"]
    made = await registrar.approved(metadata(jwks=None, jwks_uri=f"{documents.address}/jwks"))
    one = await signed_in(made)
    documents.served["/jwks"] = {"keys": [other_key.as_dict(private=False)]}
    claims = one.request() | {"iss": one.client_id, "aud": ISSUER, "exp": one.now + 60}
    signed = jwt.encode({"alg": "ES256", "typ": "oauth-authz-req+jwt"}, claims, other_key)
    answer = await one.raw_authorize({"client_id": one.client_id, "request": signed})
    assert answer.status_code == 303, answer.text
    assert one.answered(answer)["code"]
