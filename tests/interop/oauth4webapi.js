// oauth4webapi (the low-level certified library) against a running platform: FAPI 2.0's way.
import * as oauth from "oauth4webapi";
import { Check, browser, key, facts } from "./lib.js";

const { issuer, back, clients, subject } = facts;
const insecure = { [oauth.allowInsecureRequests]: true };
const check = new Check("oauth4webapi");
const as = await oauth
  .discoveryRequest(new URL(issuer), { algorithm: "oidc", ...insecure })
  .then((answer) => oauth.processDiscoveryResponse(new URL(issuer), answer));
const me = { client_id: clients.portal.client_id };
const authentication = oauth.PrivateKeyJwt(await key("portal"));

async function repeated(DPoP, ask, read) {
  let answer = await ask();
  try {
    return await read(answer);
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    answer = await ask();
    return read(answer);
  }
}

async function flow() {
  const DPoP = oauth.DPoP(me, await oauth.generateKeyPair("ES256"));
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const parameters = new URLSearchParams({
    client_id: me.client_id, redirect_uri: back, response_type: "code", scope: "openid profile offline_access",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", state, nonce,
  });
  const pushed = await repeated(DPoP,
    () => oauth.pushedAuthorizationRequest(as, me, authentication, parameters, { DPoP, ...insecure }),
    (answer) => oauth.processPushedAuthorizationResponse(as, me, answer));
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({ client_id: me.client_id, request_uri: pushed.request_uri });
  const callback = oauth.validateAuthResponse(as, me, await browser(url), state);
  const tokens = await repeated(DPoP,
    () => oauth.authorizationCodeGrantRequest(as, me, authentication, callback, back, verifier, { DPoP, ...insecure }),
    (answer) => oauth.processAuthorizationCodeResponse(as, me, answer, { expectedNonce: nonce, requireIdToken: true }));
  return { DPoP, tokens };
}

await check.that("PAR + private_key_jwt + DPoP + iss, the ID token verified", async () => {
  const { tokens } = await flow();
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  return tokens.token_type === "dpop" && claims.sub === subject && claims.acr === "urn:sebalai:acr:2";
});
await check.that("signature of the ID token under our published keys", async () => {
  const { DPoP, tokens } = await flow();
  const answer = await oauth.userInfoRequest(as, me, tokens.access_token, { DPoP, ...insecure });
  const info = await oauth.processUserInfoResponse(as, me, subject, answer).catch(async (error) => {
    if (!oauth.isDPoPNonceError(error)) throw error;
    const again = await oauth.userInfoRequest(as, me, tokens.access_token, { DPoP, ...insecure });
    return oauth.processUserInfoResponse(as, me, subject, again);
  });
  return info.name === "Interop";
});
await check.that("refresh with DPoP", async () => {
  const { DPoP, tokens } = await flow();
  const next = await repeated(DPoP,
    () => oauth.refreshTokenGrantRequest(as, me, authentication, tokens.refresh_token, { DPoP, ...insecure }),
    (answer) => oauth.processRefreshTokenResponse(as, me, answer));
  return next.token_type === "dpop";
});
await check.that("an access token bound to a key passes the gateway with its proof and not without", async () => {
  const DPoP = oauth.DPoP(me, await oauth.generateKeyPair("ES256"));
  const tokens = await repeated(DPoP,
    () => oauth.clientCredentialsGrantRequest(as, me, authentication, {}, { DPoP, ...insecure }),
    (answer) => oauth.processClientCredentialsResponse(as, me, answer));
  const url = new URL("/api/identity/v1/applications", issuer);
  const ask = () => oauth.protectedResourceRequest(tokens.access_token, "GET", url, undefined, undefined, { DPoP, ...insecure });
  const answer = await ask().catch((error) => (oauth.isDPoPNonceError(error) ? ask() : Promise.reject(error)));
  const bare = await fetch(url, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  return answer.status === 200 && bare.status === 401;
});
check.finish();
