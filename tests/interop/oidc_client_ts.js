// oidc-client-ts (the usual library of pages without a server of their own) against a running
// platform: its UserManager as in a browser, our navigator in the place of the address bar.
import { InMemoryWebStorage, UserManager, WebStorageStateStore } from "oidc-client-ts";
import { Check, browser, facts } from "./lib.js";

const { issuer, back, clients, subject } = facts;
const check = new Check("oidc-client-ts");

// It looks for the browser's cryptography there.
globalThis.window ??= globalThis;

class DPoPStore {
  #kept = new Map();
  async set(name, value) { this.#kept.set(name, value); }
  async get(name) { return this.#kept.get(name); }
  async remove(name) { const had = this.#kept.get(name); this.#kept.delete(name); return had; }
  async getAllKeys() { return [...this.#kept.keys()]; }
}

function manager(more = {}) {
  const bar = { address: "" };
  const navigator = {
    async prepare() {
      return { async navigate({ url }) { bar.address = (await browser(url)).href; return { url: bar.address }; }, close() {} };
    },
    async callback() {},
  };
  const store = () => new WebStorageStateStore({ store: new InMemoryWebStorage() });
  const settings = {
    authority: issuer, client_id: clients.public.client_id, redirect_uri: back, post_logout_redirect_uri: `${back}/bye`,
    scope: "openid profile offline_access", loadUserInfo: true, automaticSilentRenew: false,
    stateStore: store(), userStore: store(), ...more,
  };
  return { bar, users: new UserManager(settings, navigator) };
}
async function signedIn(more) {
  const { bar, users } = manager(more);
  await users.signinRedirect();
  return { bar, users, user: await users.signinRedirectCallback(bar.address) };
}

await check.that("code + PKCE, ID token, userinfo", async () => {
  const { user } = await signedIn();
  return user.profile.sub === subject && user.profile.name === "Interop" && Boolean(user.refresh_token);
});
await check.that("refresh with rotation", async () => {
  const { users, user } = await signedIn();
  const [first, access] = [user.refresh_token, user.access_token];
  const next = await users.signinSilent();
  return next.profile.sub === subject && next.refresh_token !== first && next.access_token !== access;
});
await check.that("DPoP with a bound code and nonces, refresh", async () => {
  // It sends no proof to userinfo.
  const { users, user } = await signedIn({ loadUserInfo: false, dpop: { bind_authorization_code: true, store: new DPoPStore() } });
  const next = await users.signinSilent();
  return user.token_type === "DPoP" && next.token_type === "DPoP" && next.profile.sub === subject;
});
await check.that("prompt=none comes back with a code", async () => {
  const { user } = await signedIn({ prompt: "none" });
  return user.profile.sub === subject;
});
await check.that("revoked tokens are refused, and the person signs out at the provider", async () => {
  const { bar, users, user } = await signedIn();
  await users.revokeTokens();
  const dead = await fetch(`${issuer}/oauth/userinfo`, { headers: { authorization: `Bearer ${user.access_token}` } });
  await users.signoutRedirect();
  return dead.status === 401 && new URL(bar.address).pathname === "/back/bye";
});
check.finish();
