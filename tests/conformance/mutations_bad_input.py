"""What an attacker sends, the check that refuses it, and a test outside the modules of the OpenID
Foundation that was seen to fail without the check. Each line: what, the file, what stands there
(once), what stands there instead, and the tests.
"""

ID, GW = "sebalai_identity", "sebalai_gateway"
OAUTH, SIGN_IN = "services/identity/tests/oauth", "services/identity/tests/sign_in"
BAD = f"{OAUTH}/test_grants.py::test_bad_assertion_gets_no_token"
TOKEN = "gateway/tests/admission/test_token.py"
PAGES = f"{SIGN_IN}/test_pages.py"
SESSIONS = "services/identity/tests/sessions/test_actions.py"
PASSWORDS = "services/identity/tests/credentials/test_passwords.py"

WANTED = {
    "alg confusion", "jwk, jku, x5u headers", "duplicate members", "unknown crit",
    "replayed assertion", "replayed code", "replayed proof", "replayed TOTP step", "mixed-up typ",
    "open redirect", "CSRF", "session fixation", "enumeration by text", "enumeration by time",
    "spoofed client certificate",
}  # fmt: skip

MUTATIONS = [
    ("alg confusion", f"{GW}/admission/token.py", 'if header.get("alg") != "ES256":',
     'if not header.get("alg"):', [f"{TOKEN}::test_other_algorithm_is_refused"]),
    ("alg confusion", f"{ID}/oauth/jose.py", 'if header.get("alg") not in ALGORITHMS:',
     'if header.get("alg") in ALGORITHMS and False:',
     [f"{OAUTH}/test_grants.py::test_client_that_signs_with_another_algorithm_is_told_those_that_discovery_lists"]),
    ("jwk, jku, x5u headers", f"{ID}/oauth/jose.py",
     "strange = sorted(header.keys() - expected.members)", "strange = []",
     [f"{BAD}[jwk]", f"{BAD}[jku]", f"{BAD}[x5u]"]),
    ("jwk, jku, x5u headers", f"{GW}/admission/token.py",
     '_FORBIDDEN = frozenset({"crit", "jwk", "jku", "x5u", "x5c", "b64", "zip"})',
     '_FORBIDDEN = frozenset({"crit"})', [f"{TOKEN}::test_header_that_would_steer_the_check_is_refused"]),
    ("duplicate members", f"{ID}/oauth/jose.py", "if len(found) != len(pairs):", "if False:",
     [f"{BAD}[duplicate claim]"]),
    ("duplicate members", f"{ID}/oauth/forms.py", "if len(found) != len(pairs):", "if False:",
     [f"{OAUTH}/test_code.py::test_duplicate_and_malformed_parameters_are_shown_to_the_person"]),
    ("unknown crit", f"{GW}/admission/token.py", '_FORBIDDEN = frozenset({"crit", ',
     "_FORBIDDEN = frozenset({", [f"{TOKEN}::test_header_that_would_steer_the_check_is_refused"]),
    ("replayed assertion", f"{ID}/oauth/clients.py",
     "if not await store.use_once(desk.session, str(client_id), jti, expires_at):", "if False:",
     [f"{OAUTH}/test_grants.py::test_same_jti_under_another_end_is_a_replay"]),
    ("replayed code", f"{ID}/oauth/store.py",
     '" AND used_at IS NULL RETURNING grant_id, content, expires_at"',
     '" RETURNING grant_id, content, expires_at"',
     [f"{OAUTH}/test_code.py::test_code_used_again_ends_what_it_gave"]),
    ("replayed proof", f"{ID}/oauth/dpop.py",
     'if not await store.use_once(desk.session, thumbprint, proof.claims["jti"], kept_until):',
     "if False:", [f"{OAUTH}/test_proofs.py::test_proof_is_used_once_and_comes_alone"]),
    ("replayed TOTP step", f"{ID}/credentials/store.py", "OneTime.last_step < step",
     "OneTime.last_step <= step", [f"{PAGES}::test_second_factor_is_asked_and_counts_once"]),
    ("mixed-up typ", f"{ID}/oauth/jose.py",
     "if not isinstance(kind, str) or kind.lower() not in expected.types:",
     "if not isinstance(kind, str):",
     [f"{BAD}[typ of an access token]", f"{BAD}[typ of a logout token]"]),
    ("mixed-up typ", f"{GW}/admission/token.py",
     'if str(header.get("typ", "")).lower() not in TYPES:', "if False:",
     [f"{TOKEN}::test_other_type_is_refused"]),
    ("open redirect", f"{ID}/applications/clients.py", "        if uri in self.redirect_uris:",
     "        if uri.startswith(self.redirect_uris):",
     [f"{OAUTH}/test_code.py::test_unproven_address_is_never_redirected_to"]),
    ("open redirect", f"{ID}/oauth/logout.py",
     "if client is None or not agrees or wanted not in client.settings.post_logout_redirect_uris:",
     "if wanted is None:",
     [f"{OAUTH}/test_visits.py::test_nobody_is_sent_to_an_unregistered_place"]),
    ("CSRF", f"{ID}/web/visit.py", "if not is_ours or not hmac.compare_digest(",
     "if False and not hmac.compare_digest(",
     [f"{PAGES}::test_form_of_another_site_signs_nobody_in",
      f"{SIGN_IN}/test_consent.py::test_form_of_another_site_agrees_to_nothing"]),
    ("session fixation", f"{ID}/sessions/actions.py", "    if replaces:\n", "    if False:\n",
     [f"{PAGES}::test_planted_session_cookie_opens_nothing_after_sign_in"]),
    ("session fixation", f"{ID}/sessions/actions.py",
     "row.methods, row.digest = sorted(set(methods)), store.digest_of(fresh)",
     "row.methods = sorted(set(methods))",
     [f"{SESSIONS}::test_step_up_keeps_the_session_and_changes_the_cookie"]),
    ("enumeration by text", f"{ID}/credentials/passwords.py",
     "    account, stored = found if found is not None else (None, None)\n",
     ('    if found is None:\n        raise LoginInvalid("/login", "unknown")\n'
      "    account, stored = found\n"),
     [f"{PAGES}::test_wrong_password_and_unknown_name_are_answered_alike"]),
    ("enumeration by text", f"{ID}/oauth/clients.py",
     "    if shown is None:\n        raise invalid_client(UNKNOWN)\n",
     '    if shown is None:\n        raise invalid_client("client_assertion is missing.")\n',
     [f"{OAUTH}/test_api.py::test_stranger_cannot_tell_a_client_from_none"]),
    ("enumeration by time", f"{ID}/credentials/passwords.py",
     "    account, stored = found if found is not None else (None, None)\n",
     "    if found is None:\n        return Checked()\n    account, stored = found\n",
     [f"{PASSWORDS}::test_unknown_name_costs_the_same_work"]),
    ("spoofed client certificate", f"{GW}/admission/proxy.py",
     "if not secrets or not self._is_named(address) or not self._is_ours(secrets[0]):", "if False:",
     ["gateway/tests/admission/test_proxy.py::test_header_alone_is_believed_of_nobody"]),
    ("spoofed client certificate", f"{ID}/oauth/door.py",
     "return found if found.thumbprint == caller.certificate else None", "return found",
     [f"{OAUTH}/registering/test_mutual_tls.py::test_nobody_is_believed_for_a_header"]),
]  # fmt: skip
