// openid-client (a certified relying-party library) against a running platform.
import * as client from "openid-client";
import { Check, browser, key, facts, letIn } from "./lib.js";

const { issuer, back, clients, subject } = facts;
const insecure = { execute: [client.allowInsecureRequests] };
const check = new Check("openid-client");

async function configured(name, authentication) {
  return client.discovery(new URL(issuer), clients[name].client_id, {}, authentication, insecure);
}
const web = await configured("web", client.PrivateKeyJwt(await key("web")));
const portal = await configured("portal", client.PrivateKeyJwt(await key("portal")));
const open = await configured("public", client.None());
const kiosk = await configured("kiosk", client.PrivateKeyJwt(await key("kiosk")));

async function begun(config, more = {}, options = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const parameters = {
    redirect_uri: back, scope: "openid profile offline_access", state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", ...more,
  };
  const url = options.par
    ? await client.buildAuthorizationUrlWithPAR(config, parameters, options)
    : client.buildAuthorizationUrl(config, parameters);
  return { url, verifier, state, nonce };
}
async function signedIn(config, more, options = {}) {
  const { url, verifier, state, nonce } = await begun(config, more, options);
  const answer = await browser(url);
  return client.authorizationCodeGrant(
    config, answer, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
    undefined, options);
}

await check.that("discovery names what it serves", () => {
  const served = web.serverMetadata();
  return served.issuer === issuer && served.supportsPKCE();
});
await check.that("code + PKCE, ID token, userinfo", async () => {
  const tokens = await signedIn(web);
  const info = await client.fetchUserInfo(web, tokens.access_token, tokens.claims().sub);
  return tokens.claims().sub === subject && info.name === "Interop";
});
await check.that("refresh with rotation", async () => {
  const tokens = await signedIn(web);
  const next = await client.refreshTokenGrant(web, tokens.refresh_token);
  return next.refresh_token !== tokens.refresh_token && next.access_token !== tokens.access_token;
});
await check.that("PAR + private_key_jwt (portal), refresh without rotation", async () => {
  const tokens = await signedIn(portal, {}, { par: true });
  const next = await client.refreshTokenGrant(portal, tokens.refresh_token);
  return next.refresh_token === tokens.refresh_token;
});
await check.that("portal without PAR is refused", async () => {
  const { url, state } = await begun(portal);
  const answer = await browser(url);
  return answer.searchParams.get("error") === "invalid_request" && answer.searchParams.get("state") === state;
});
await check.that("form_post", async () => {
  const { url, verifier, state, nonce } = await begun(web, { response_mode: "form_post" });
  const request = await browser(url, { form: true });
  const tokens = await client.authorizationCodeGrant(
    web, request, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce });
  return Boolean(tokens.id_token);
});
await check.that("DPoP of a public client, with nonces, refresh and userinfo", async () => {
  const DPoP = client.getDPoPHandle(open, await client.randomDPoPKeyPair("ES256"));
  const tokens = await signedIn(open, {}, { DPoP });
  const next = await client.refreshTokenGrant(open, tokens.refresh_token, {}, { DPoP });
  const info = await client.fetchUserInfo(open, next.access_token, subject, { DPoP });
  return next.token_type === "dpop" && info.sub === subject;
});
await check.that("DPoP through PAR", async () => {
  const DPoP = client.getDPoPHandle(portal, await client.randomDPoPKeyPair("ES256"));
  const tokens = await signedIn(portal, {}, { par: true, DPoP });
  return tokens.token_type === "dpop";
});
await check.that("client credentials", async () => {
  const tokens = await client.clientCredentialsGrant(web, { scope: "bus.call" });
  return tokens.token_type === "bearer";
});
await check.that("introspection and revocation", async () => {
  const tokens = await signedIn(web);
  const before = await client.tokenIntrospection(web, tokens.access_token);
  await client.tokenRevocation(web, tokens.access_token);
  const after = await client.tokenIntrospection(web, tokens.access_token);
  await client.tokenRevocation(web, tokens.refresh_token);
  const refused = await client.refreshTokenGrant(web, tokens.refresh_token).catch((error) => error.error);
  return before.active && !after.active && refused === "invalid_grant";
});
await check.that("device authorization: tokens once the person has agreed, and not before", async () => {
  const device = await client.initiateDeviceAuthorization(kiosk, { scope: "openid" });
  let given = false;
  const polling = client.pollDeviceAuthorizationGrant(kiosk, device).finally(() => { given = true; });
  await new Promise((resolve) => { setTimeout(resolve, 6000); });
  const early = given;
  const agreed = await letIn(device.user_code);
  const tokens = await polling;
  return !early && agreed && tokens.claims().sub === subject;
});
await check.that("token exchange on behalf of the person", async () => {
  const DPoP = client.getDPoPHandle(web, await client.randomDPoPKeyPair("ES256"));
  const tokens = await signedIn(web, {}, { DPoP });
  const exchanged = await client.genericGrantRequest(web, "urn:ietf:params:oauth:grant-type:token-exchange", {
    subject_token: tokens.access_token, subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
    audience: "ID-BB/GOV/dp3acskb/kependudukan/penduduk", purpose: "verifikasi-bansos",
  }, { DPoP });
  const claims = JSON.parse(Buffer.from(exchanged.access_token.split(".")[1], "base64url"));
  return claims.act.sub === clients.web.client_id && claims.sub === subject && exchanged.expires_in <= 120;
});
await check.that("sign out at the provider ends the session", async () => {
  const tokens = await signedIn(web);
  const url = client.buildEndSessionUrl(web, { id_token_hint: tokens.id_token, post_logout_redirect_uri: `${back}/bye`, state: "s" });
  const answer = await browser(url);
  const dead = await client.tokenIntrospection(web, tokens.access_token);
  return answer.pathname === "/back/bye" && answer.searchParams.get("state") === "s" && !dead.active;
});
check.finish();
