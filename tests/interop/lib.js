// What the scripts share: facts of the platform, keys, a browser that holds one cookie, a tally.
import { readFileSync } from "node:fs";

export const facts = JSON.parse(readFileSync(process.env.INTEROP_FACTS, "utf8"));

export async function key(name) {
  return crypto.subtle.importKey(
    "jwk", facts.clients[name].key, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}

// Follows redirects inside the platform; answers the address (or form) at the client.
export async function browser(url, { form = false } = {}) {
  let place = new URL(url);
  for (let hops = 0; hops < 5; hops += 1) {
    const answer = await fetch(place, { redirect: "manual", headers: { cookie: facts.cookie } });
    if (form && answer.status === 200) return posted(await answer.text());
    const next = answer.headers.get("location");
    if (!next) throw new Error(`${answer.status} ${await answer.text()}`);
    place = new URL(next, place);
    if (place.origin !== new URL(facts.issuer).origin) return place;
    if (/^\/(sign-in|consent)/.test(place.pathname)) throw new Error(`a page is in the way: ${place.pathname}`);
  }
  throw new Error("too many redirects");
}

// The person at another machine: types the device's code, agrees on the page of consent.
export async function letIn(userCode) {
  const cookies = [facts.cookie];
  async function ask(path, form) {
    const headers = { cookie: cookies.join("; ") };
    const sent = form ? { method: "POST", body: new URLSearchParams(form) } : {};
    let answer = await fetch(new URL(path, facts.issuer), { redirect: "manual", headers, ...sent });
    cookies.push(...answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]));
    return answer.status === 303 ? ask(answer.headers.get("location")) : answer;
  }
  const consent = await ask("/device", { user_code: userCode });
  const hidden = fieldsOf(await consent.text()).filter(([name]) => name !== "decision");
  const done = await ask("/consent", [...hidden, ["decision", "agree"]]);
  return new URL(done.url).pathname === "/device/done";
}

function fieldsOf(page) {
  return [...page.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
}

function posted(page) {
  const action = page.match(/action="([^"]+)"/)[1];
  const body = new URLSearchParams(fieldsOf(page));
  return new Request(action, { method: "POST", body, headers: { "content-type": "application/x-www-form-urlencoded" } });
}

export class Check {
  constructor(name) { this.name = name; this.passed = 0; this.failed = []; }
  async that(what, work) {
    try {
      if (!(await work())) throw new Error("not as expected");
      this.passed += 1;
      console.log(`  ok   ${what}`);
    } catch (error) {
      this.failed.push(what);
      console.log(`  FAIL ${what}: ${error.message} ${error.cause ? JSON.stringify(error.cause) : ""}`);
    }
  }
  finish() {
    console.log(`${this.name}: ${this.passed}/${this.passed + this.failed.length}`);
    process.exit(this.failed.length ? 1 : 0);
  }
}
