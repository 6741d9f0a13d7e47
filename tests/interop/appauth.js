// AppAuth-JS (native and desktop applications) against a running platform: its handlers as they are,
// the system's browser replaced by ours.
import { createRequire } from "node:module";
import { Check, browser, facts } from "./lib.js";

const require = createRequire(import.meta.url);
const appauth = require("@openid/appauth");
const { NodeCrypto } = require("@openid/appauth/built/node_support/crypto_utils.js");
const { NodeRequestor } = require("@openid/appauth/built/node_support/node_requestor.js");

const { issuer, back, clients, subject } = facts;
const client_id = clients.public.client_id;
const check = new Check("AppAuth-JS");
const requestor = new NodeRequestor();
const configuration = await appauth.AuthorizationServiceConfiguration.fetchFromIssuer(issuer, requestor);
const tokens = new appauth.BaseTokenRequestHandler(requestor);

class Handler extends appauth.AuthorizationRequestHandler {
  constructor() { super(new appauth.BasicQueryStringUtils(), new NodeCrypto()); }
  performAuthorizationRequest(server, request) {
    this.done = request.setupCodeVerifier().then(async () => {
      const answer = (await browser(this.buildRequestUrl(server, request))).searchParams;
      const state = answer.get("state");
      if (state !== request.state) throw new Error("another state");
      return {
        request,
        response: answer.has("code") ? new appauth.AuthorizationResponse({ code: answer.get("code"), state }) : null,
        error: answer.has("error") ? new appauth.AuthorizationError({ error: answer.get("error"), state }) : null,
      };
    });
  }
  completeAuthorizationRequest() { return this.done; }
}

async function authorized(more = {}, extras = {}) {
  const handler = new Handler();
  const notifier = new appauth.AuthorizationNotifier();
  const told = new Promise((resolve) => { notifier.setAuthorizationListener((...all) => resolve(all)); });
  handler.setAuthorizationNotifier(notifier);
  handler.performAuthorizationRequest(configuration, new appauth.AuthorizationRequest({
    client_id, redirect_uri: back, scope: "openid profile offline_access",
    response_type: appauth.AuthorizationRequest.RESPONSE_TYPE_CODE, extras, ...more,
  }, new NodeCrypto(), true));
  await handler.completeAuthorizationRequestIfPossible();
  return told;
}
async function redeemed(request, response, more = {}) {
  return tokens.performTokenRequest(configuration, new appauth.TokenRequest({
    client_id, redirect_uri: back, grant_type: appauth.GRANT_TYPE_AUTHORIZATION_CODE, code: response.code,
    extras: { code_verifier: request.internal.code_verifier }, ...more,
  }));
}
async function refreshed(refresh_token) {
  return tokens.performTokenRequest(configuration, new appauth.TokenRequest({
    client_id, redirect_uri: back, grant_type: appauth.GRANT_TYPE_REFRESH_TOKEN, refresh_token,
  }));
}

await check.that("code + PKCE, ID token", async () => {
  const [request, response] = await authorized();
  const given = await redeemed(request, response);
  const claims = JSON.parse(Buffer.from(given.idToken.split(".")[1], "base64url"));
  return claims.sub === subject && given.isValid(0) && configuration.userInfoEndpoint === `${issuer}/oauth/userinfo`;
});
await check.that("refresh with rotation", async () => {
  const [request, response] = await authorized();
  const first = await redeemed(request, response);
  const next = await refreshed(first.refreshToken);
  const last = await refreshed(next.refreshToken);
  return new Set([first, next, last].map((given) => given.refreshToken)).size === 3;
});
await check.that("code with another verifier is refused", async () => {
  const [request, response] = await authorized();
  const refused = await redeemed(request, response, { extras: { code_verifier: "v".repeat(43) } }).catch((error) => error);
  return refused instanceof appauth.AppAuthError && refused.message === "Bad Request";
});
await check.that("an error comes back to its listener", async () => {
  const [, response, error] = await authorized({}, { prompt: "none login" });
  return response === null && error.error === "invalid_request";
});
check.finish();
