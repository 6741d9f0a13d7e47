"""The mutations that the checks of FAPI 2.0 see; the form is that of `mutations`."""

from mutations import A, F, R

ASSERTION = "oauth/assertion.py"
PUSH = "oauth/par.py"
PROOF = "oauth/dpop.py"
G = "oauth/grants.py"

MUTATIONS = [
    (A, 'OAuthError(found.refusal, "The person did not agree."),',
     'OAuthError("server_error", "The person did not agree."),', [F + "user-rejects-authentication"]),
    (A, ' if extra["state"] is not None else {}', "",
     [F + "ensure-authorization-request-without-state-success"]),
    (R, "TEXT_LENGTH_MAX = 2_048", "TEXT_LENGTH_MAX = 63",
     [F + "ensure-authorization-request-with-64-char-nonce-success",
      F + "ensure-authorization-request-with-long-nonce",
      F + "ensure-authorization-request-with-long-state"]),
    (R, "    if not given:", '    if not given or not parameters["scope"].startswith("openid"):',
     [F + "ensure-other-scope-order-succeeds"]),
    ("oauth/claims.py", ' if asked.get("essential") else ()', " if False else ()",
     [F + "ensure-essential-acr-claim"]),
    ("oauth/inspection.py", 'scheme.lower() not in {"bearer", "dpop"}',
     'scheme not in {"Bearer", "DPoP"}', [F + "access-token-type-header-case-sensitivity"]),
    (PUSH, "    return row.parameters, store.digest_of(reference)",
     ('    beside = {n: v for n, v in parameters.items() if n in ("nonce", "state")}\n'
     "    return row.parameters | beside, store.digest_of(reference)"),
     [F + "ensure-different-nonce-inside-and-outside-request-object",
      F + "ensure-different-state-inside-and-outside-request-object",
      F + "state-only-outside-request-object-not-used"]),
    (PUSH, "    own = {",
     '    own = {"redirect_uri": proven.client.settings.redirect_uris[0]} | {',
     [F + "ensure-request-object-without-redirect-uri-fails",
      F + "ensure-redirect-uri-in-authorization-request"]),
    (PUSH, "raise invalid_request(error.detail) from error", "pass",
     [F + "plain-fapi-tolerate-unregistered-redirect-uri"]),
    (A, "if reference is None and (", "if False and (",
     [F + "ensure-unsigned-authorization-request-without-using-par-fails"]),
    (R, '    if wanted != "code":', "    if False:",
     [F + "ensure-response-type-code-idtoken-fails", F + "ensure-response-type-token-fails"]),
    (A, "    redirect_uri = authorize.proven_redirect(client, whole)",
     ("    if reference:\n"
     '        await __import__("sebalai_identity.oauth.store").oauth.store.use_pushed(\n'
     "            desk.session, reference, desk.now)\n"
     "    redirect_uri = authorize.proven_redirect(client, whole)"),
     [F + "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds"]),
    ("oauth/store.py", '''    " WHERE slot = ANY($1) AND digest = $2 AND used_at IS NULL"
)
_PUSHED_USED = (
    "UPDATE pushed_request SET used_at = $3"
    " WHERE slot = ANY($1) AND digest = $2 AND used_at IS NULL"''',
     '''    " WHERE slot = ANY($1) AND digest = $2"
)
_PUSHED_USED = (
    "UPDATE pushed_request SET used_at = $3"
    " WHERE slot = ANY($1) AND digest = $2"''',
     [F + "par-attempt-reuse-request_uri"]),
    (PUSH, " or row.expires_at <= desk.now", "", [F + "par-attempt-to-use-expired-request_uri"]),
    (PUSH, " or row.client_id != client.client_id", "",
     [F + "par-attempt-to-use-request_uri-for-different-client"]),
    (PUSH, """    if "request_uri" in parameters:
        raise invalid_request("A pushed request holds no request_uri.")""",
     '    parameters = {n: v for n, v in parameters.items() if n != "request_uri"}',
     [F + "par-authorization-request-containing-request_uri-form-param"]),
    ("oauth/api.py", '@router.post("/oauth/par",', '@router.api_route("/oauth/par", methods=["PUT", "POST"],',
     [F + "par-attempt-invalid-http-method"]),
    (A, "    redirect_uri = authorize.proven_redirect(client, whole)",
     "    redirect_uri = authorize.proven_redirect(client, parameters)",
     [F + "par-without-duplicate-parameters"]),
    # --- clients and codes
    ("oauth/clients.py",
     'if parameters.get("client_id", str(claims.client_id)) != str(claims.client_id):', "if False:",
     [F + "ensure-client-id-in-token-endpoint"]),
    (G, "if jkt is None and settings.is_dpop_required:", "if False:",
     [F + "ensure-holder-of-key-required"]),
    (G, 'content["client_id"] != str(proven.client.client_id) or ', "",
     [F + "ensure-authorization-code-is-bound-to-client"]),
    (G, " or ends <= desk.now", "", [F + "ensure-token-endpoint-fails-with-expired-auth-code"]),
    ("oauth/jose.py", 'ALGORITHMS = ("ES256",)', 'ALGORITHMS = ("ES256", "RS256")',
     [F + "ensure-signed-client-assertion-with-RS256-fails"]),
    ("oauth/clients.py", '    if client.settings.kind == "public":',
     '    if client.settings.kind != "kiosk":', [F + "ensure-client-assertion-in-token-endpoint"]),
    (ASSERTION, "    if expires_at <= now:", "    if False:",
     [F + "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails"]),
    (ASSERTION, 'if claims.get("aud") != issuer:', 'if not claims.get("aud"):',
     [F + "ensure-client-assertion-with-wrong-aud-fails"]),
    (ASSERTION, 'if claims.get("aud") != issuer:', 'if issuer not in str(claims.get("aud")):',
     [F + "par-test-array-as-audience-fails", F + "par-test-par-endpoint-url-as-audience-fails",
      F + "par-test-token-endpoint-url-as-audience-fails"]),
    (ASSERTION, 'subject = claims.get("sub")', 'subject = claims.get("sub", claims.get("iss"))',
     [F + "ensure-client-assertion-with-no-sub-fails"]),
    ("oauth/clients.py",
     "if not await store.use_once(desk.session, str(client_id), jti, expires_at):", "if False:",
     [F + "ensure-invalid-client-assertions-fail"]),
    (ASSERTION, "FUTURE = timedelta(seconds=10)", "FUTURE = timedelta(seconds=1)",
     [F + "par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted"]),
    (ASSERTION, "FUTURE = timedelta(seconds=10)", "FUTURE = timedelta(seconds=100)",
     [F + "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails"]),
    # --- proofs
    (PROOF, '    jti, iat = claims.get("jti"), claims.get("iat")',
     ('    if "nbf" in claims:\n        raise bad_proof("nbf")\n'
     '    jti, iat = claims.get("jti"), claims.get("iat")'), [F + "check-dpop-proof-nbf-exp"]),
    (PROOF, "if not now - 2 * NONCE_PERIOD_SECONDS - SKEW_SECONDS <= iat <=", "if not now - 5 <= iat <=",
     [F + "ensure-dpopproof-with-iat-10seconds-before-succeeds"]),
    (PROOF, "<= iat <= now + SKEW_SECONDS:", "<= iat <= now + 1:",
     [F + "ensure-dpopproof-with-iat-10seconds-after-succeeds"]),
    (PUSH, 'whole.setdefault("dpop_jkt", jkt) != jkt:', 'not whole.setdefault("dpop_jkt", jkt):',
     [F + "ensure-mismatched-dpop-jkt-fails"]),
    (G, 'if content["jkt"] is not None and content["jkt"] != binding.jkt:', "if False:",
     [F + "ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt",
      F + "ensure-token-endpoint-fails-with-mismatched-dpop-jkt"]),
    (PUSH, 'whole.setdefault("dpop_jkt", jkt) != jkt:', 'whole.pop("dpop_jkt", None) == jkt:',
     [F + "ensure-dpopproof-at-par-endpoint-binding-success"]),
    (G, 'content["jkt"] != binding.jkt:', 'content["jkt"] == binding.jkt:',
     [F + "ensure-dpop-auth-code-binding-success"]),
    (PROOF, "if not await store.use_once(desk.session, thumbprint,",
     "if False and not await store.use_once(desk.session, thumbprint,", [F + "dpop-negative-tests"]),
    (PROOF, 'if token is not None and claims.get("ath") != thumb(token):', "if False:",
     [F + "dpop-negative-tests"]),
    (PROOF, 'if claims.get("htm") != call.method or not', "if not", [F + "dpop-negative-tests"]),
]  # fmt: skip
