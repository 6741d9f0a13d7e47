// A stand-in for our identity: npm's oidc-provider, certified by the OpenID Foundation, with clients
// and a person like ours. Writes what the checks need to know to the file named by CONFORMANCE_FACTS.
import { createHash, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import Provider from "oidc-provider";

const port = Number(process.env.CONTROL_PORT ?? 19399);
const bell = port + 1;
const issuer = `http://127.0.0.1:${port}`;
const back = "http://127.0.0.1:9";

function key(kind, options, more) {
  const made = generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" });
  return { ...made, ...more };
}
function half({ d, p, q, dp, dq, qi, ...open }) {
  return open;
}

const clients = [], facts = {};
function add(name, more, place = name, query = "") {
  const own = key("ec", { namedCurve: "P-256" }, { kid: name });
  const [redirect, bye] = [`${back}/${place}/back${query}`, `${back}/${place}/bye`];
  clients.push({
    client_id: name, redirect_uris: [redirect], post_logout_redirect_uris: [bye],
    grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
    token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: "ES256",
    jwks: { keys: [half(own)] }, ...more,
  });
  facts[name] = {
    client_id: name, key: own, redirect_uri: redirect, post_logout_redirect_uri: bye,
    secret: more.client_secret,
  };
}
add("web", {
  backchannel_logout_uri: `http://127.0.0.1:${bell}/web`, backchannel_logout_session_required: true,
});
add("web2", { userinfo_signed_response_alg: "RS256" });
add("query", {}, "query", "?kept=1");
add("secret", {
  token_endpoint_auth_method: "client_secret_post", client_secret: "a".repeat(43),
  token_endpoint_auth_signing_alg: undefined,
});
const fapi = {
  dpop_bound_access_tokens: true, require_pushed_authorization_requests: true,
  id_token_signed_response_alg: "ES256",
};
add("fapi", fapi);
add("fapi2", fapi);
add("fapi3", fapi, "fapi");

const provider = new Provider(issuer, {
  clients,
  jwks: {
    keys: [
      key("rsa", { modulusLength: 2048 }, { kid: "rs", alg: "RS256", use: "sig" }),
      key("ec", { namedCurve: "P-256" }, { kid: "es", alg: "ES256", use: "sig" }),
    ],
  },
  allowOmittingSingleRegisteredRedirectUri: false,
  acrValues: ["1"],
  subjectTypes: ["public", "pairwise"],
  pairwiseIdentifier: (_, account, client) =>
    createHash("sha256").update(`${client.sectorIdentifier} ${account}`).digest("hex"),
  enableHttpPostMethods: true,
  // Its guard against special addresses would keep it from our loopback client.
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  cookies: { keys: ["control"], long: { sameSite: "none" } },
  claims: {
    acr: null, auth_time: null, sid: null, iss: null, openid: ["sub"], profile: ["name", "birthdate"],
    email: ["email", "email_verified"], phone: ["phone_number", "phone_number_verified"],
    address: ["address"],
  },
  clientAuthMethods: ["private_key_jwt", "client_secret_basic", "client_secret_post", "none"],
  enabledJWA: {
    clientAuthSigningAlgValues: ["ES256", "PS256"], dPoPSigningAlgValues: ["ES256"],
  },
  features: {
    backchannelLogout: { enabled: true }, claimsParameter: { enabled: true }, dPoP: { enabled: true },
    requestObjects: { enabled: true }, revocation: { enabled: true },
    registration: { enabled: true }, registrationManagement: { enabled: true },
    rpInitiatedLogout: { enabled: true }, jwtUserinfo: { enabled: true },
    fapi: { enabled: true, profile: (_, client) => (client?.clientId.startsWith("fapi") ? "2.0" : undefined) },
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: "Siti Conform" }) }),
  rotateRefreshToken: (ctx) => !ctx.oidc.client.clientId.startsWith("fapi"),
});
provider.on("backchannel.error", (_, error) => console.error("backchannel", error, error.cause));
provider.on("server_error", (_, error) => console.error("server", error));
provider.listen(port, "127.0.0.1", () => {
  const whole = {
    issuer, login: "siti.conform", password: "any", clients: facts, refuses: false, bell_port: bell,
    https_alone: true,
  };
  writeFileSync(process.env.CONFORMANCE_FACTS, JSON.stringify(whole));
});
