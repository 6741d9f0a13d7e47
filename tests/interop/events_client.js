// CloudEvents' and Standard Webhooks' JavaScript libraries against a running platform: the SDK makes
// what is published, the library verifies what arrives, and the SDK reads it.
import { createServer } from "node:http";
import { isDeepStrictEqual } from "node:util";
import { CloudEvent, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { Check, facts } from "./lib.js";

const WAIT_MS = 60_000;
const check = new Check("cloudevents, standardwebhooks (JavaScript)");
const got = [];

const hook = createServer(async (request, response) => {
  if (request.method === "OPTIONS") {
    response.writeHead(200, { "WebHook-Allowed-Origin": request.headers["webhook-request-origin"] }).end();
    return;
  }
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  got.push({ headers: request.headers, body: Buffer.concat(pieces).toString() });
  response.writeHead(204).end();
});
await new Promise((ready) => hook.listen(0, "127.0.0.1", ready));

async function ask(who, method, path, { headers = {}, body } = {}) {
  const answer = await fetch(facts.api + path, {
    method, body,
    headers: { authorization: `Bearer ${facts[who].token}`, "idempotency-key": crypto.randomUUID(), "content-type": "application/json", ...headers },
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function until(condition) {
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await new Promise((go) => setTimeout(go, 100))) {
    const found = await condition();
    if (found) return found;
  }
  throw new Error("waited too long");
}

async function subscribed(kind, more = {}) {
  const wanted = { subscriber: facts.subscriber.application, title: "Interop", types: [facts.type], kind, ...more };
  const made = await ask("subscriber", "POST", "/subscriptions", { body: JSON.stringify(wanted) });
  await until(async () => (await ask("subscriber", "GET", `/subscriptions/${made.id}`)).state === "active");
  return made.id;
}

const event = (number) => new CloudEvent({
  type: facts.type, source: "/interop/javascript", subject: `key-${number}`, interopnote: "sebuah é",
  datacontenttype: "application/json", data: { number, name: "Muntok é" },
});

const named = ({ headers }) => ({ ...headers, "content-type": headers["content-type"] ?? headers["Content-Type"] });

async function published(one, binding) {
  const message = binding(one);
  const body = typeof message.body === "string" ? message.body : JSON.stringify(message.body);
  return ask("publisher", "POST", "/events", { headers: named(message), body });
}

const arrived = (one) => until(() => got.find(({ body }) => body.includes(one.id)));
const same = (left, right) => isDeepStrictEqual(left.data, right.data)
  && ["id", "source", "type", "subject", "specversion", "interopnote"].every((name) => left[name] === right[name]);

async function delivered(secret, one) {
  const { headers, body } = await arrived(one);
  new Webhook(secret).verify(body, headers);
  const read = HTTP.toEvent({ headers, body });
  return read.validate() && same(one, read) && /^\d{20}$/.test(read.position);
}

const ident = await subscribed("webhook", { url: `http://127.0.0.1:${hook.address().port}/hook` });
const pull = await subscribed("pull");
const { secret } = await ask("subscriber", "GET", `/subscriptions/${ident}/secret`);

// The SDK writes attributes into headers as they are, where the binding wants them percent-encoded.
const plain = "sebuah";
for (const [name, binding] of [["structured", HTTP.structured], ["binary", HTTP.binary]]) {
  await check.that(`${name}, delivered, verified, parsed`, async () => {
    const one = event(1).cloneWith(binding === HTTP.binary ? { interopnote: plain } : {});
    await published(one, binding);
    return delivered(secret, one);
  });
}

await check.that("a batch, delivered, verified, parsed", async () => {
  const batch = [event(4), event(5)];
  const headers = { "content-type": "application/cloudevents-batch+json" };
  await ask("publisher", "POST", "/events", { headers, body: JSON.stringify(batch) });
  return (await delivered(secret, batch[0])) && delivered(secret, batch[1]);
});

await check.that("a changed body is refused", async () => {
  const [{ headers, body }] = got;
  return [`${body} `, body.replace("1", "2")].every((wrong) => {
    try { new Webhook(secret).verify(wrong, headers); } catch { return true; }
    return false;
  });
});

await check.that("old and new secret verify while they overlap", async () => {
  const rotated = (await ask("subscriber", "POST", `/subscriptions/${ident}/rotate-secret`)).secret;
  const one = event(2);
  await published(one, HTTP.structured);
  return rotated !== secret && (await delivered(secret, one)) && delivered(rotated, one);
});

await check.that("pulled as a batch, parsed", async () => {
  const one = event(3);
  await published(one, HTTP.structured);
  const body = JSON.stringify({ max: 100, wait_seconds: 10 });
  const { events } = await ask("subscriber", "POST", `/subscriptions/${pull}/pull`, { body });
  const headers = { "content-type": "application/cloudevents-batch+json" };
  const read = HTTP.toEvent({ headers, body: JSON.stringify(events.map((found) => found.event)) });
  return read.every((found) => found.validate()) && read.some((found) => same(one, found));
});

for (const one of [ident, pull]) {
  await ask("subscriber", "POST", `/subscriptions/${one}/end`, { body: JSON.stringify({ reason: "interop is done" }) });
}
hook.close();
check.finish();
