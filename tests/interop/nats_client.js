// NATS' own JavaScript client as a direct subscriber of a running platform: it receives through its
// own account what its agreement names, may do nothing else, and is cut off when that ends.
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Check, facts } from "./lib.js";

const WAIT_MS = 60_000;
// A broker with leaf nodes may give a message to a pull whose client has just gone: for two seconds
// it takes it for one whose interest is still on its way. The message comes again after a minute.
const GONE_MS = 3_000;
const AGAIN_MS = 90_000;
const check = new Check("@nats-io/transport-node, @nats-io/jetstream");

async function ask(who, method, path, body, type = "application/json") {
  const answer = await fetch(facts.api + path, {
    method, body: body === undefined ? undefined : JSON.stringify(body),
    headers: { authorization: `Bearer ${facts[who].token}`, "idempotency-key": crypto.randomUUID(), "content-type": type },
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

async function published(number) {
  const event = { specversion: "1.0", id: crypto.randomUUID(), source: "/interop/nats", type: facts.type, subject: `key-${number}`, data: { number } };
  await ask("publisher", "POST", "/events", event, "application/cloudevents+json");
  return event;
}

const own = (credential, more = {}) => ({
  servers: credential.servers, user: credential.user, pass: credential.password, inboxPrefix: credential.inbox_prefix, ...more,
});

async function isRefused(options) {
  try {
    await (await connect({ ...options, reconnect: false })).close();
    return false;
  } catch { return true; }
}

const wanted = { subscriber: facts.subscriber.application, title: "Interop", types: [facts.type], kind: "nats" };
const { id } = await ask("subscriber", "POST", "/subscriptions", wanted);
const credential = await ask("subscriber", "POST", `/subscriptions/${id}/credential`);
const client = await until(() => connect(own(credential, { reconnect: false })).catch(() => null));
const refused = [];
(async () => { for await (const told of client.status()) if (told.type === "error") refused.push(told.error); })();
const consumer = await until(() => jetstream(client, { domain: credential.domain }).consumers.get(credential.stream, credential.consumer).catch(() => null));

await check.that("an event is received through its own account and acknowledged", async () => {
  const one = await published(1);
  const message = await consumer.next({ expires: 10_000 });
  const event = message.json();
  return (await message.ackAck()) && message.subject === `sebalai.${facts.type}` && event.id === one.id && event.data.number === 1;
});

await check.that("events are consumed as they come, in order", async () => {
  const sent = [await published(2), await published(3), await published(4)].map((one) => one.id);
  const got = [];
  const messages = await consumer.consume({ max_messages: 10 });
  for await (const message of messages) {
    got.push(message.json().id);
    message.ack();
    if (got.length === sent.length) break;
  }
  return got.join() === sent.join();
});

await check.that("nothing else may be heard or said", async () => {
  const before = refused.length;
  const hear = [">", "sebalai.>", "$SYS.>", "_INBOX.>", "_INBOX_exchange.>"];
  const say = [`sebalai.${facts.type}`, "sebalai.identity.person.registered.v1", "$KV.SNAPSHOTS.routes", "$JS.API.STREAM.LIST", `$JS.API.CONSUMER.DELETE.EVENTS.${credential.consumer}`, "$JS.API.CONSUMER.CREATE.EVENTS.mine"];
  for (const subject of hear) client.subscribe(subject, { callback: () => {} });
  for (const subject of say) client.publish(subject, "{}");
  await client.flush();
  await until(() => refused.length - before >= hear.length + say.length);
  return refused.slice(before).every((error) => error.name === "PermissionViolationError");
});

await check.that("without the credential nobody comes in", async () =>
  (await isRefused({ servers: credential.servers })) && (await isRefused(own(credential, { pass: "guess" })))
  && (await isRefused(own(credential, { user: crypto.randomUUID() }))));

await check.that("a pause closes the connection and keeps it out", async () => {
  let closed = 0;
  client.closed().then(() => { closed = Date.now(); });
  const begun = Date.now();
  await ask("subscriber", "POST", `/subscriptions/${id}/pause`, { reason: "interop pauses" });
  console.log(`  closed after ${(await until(() => closed)) - begun} ms`);
  return isRefused(own(credential));
});

await check.that("what came meanwhile is there after the pause", async () => {
  await new Promise((go) => setTimeout(go, GONE_MS));
  const one = await published(5);
  await ask("subscriber", "POST", `/subscriptions/${id}/resume`);
  const again = await until(() => connect(own(credential, { reconnect: false })).catch(() => null));
  const place = await jetstream(again, { domain: credential.domain }).consumers.get(credential.stream, credential.consumer);
  const message = await place.next({ expires: AGAIN_MS });
  message.ack();
  await again.close();
  return message.json().id === one.id;
});

await ask("subscriber", "POST", `/subscriptions/${id}/end`, { reason: "interop is done" });
check.finish();
