"""CloudEvents' and Standard Webhooks' Python libraries against a running platform: the SDK makes
what is published, the library verifies what arrives, and the SDK reads it.
"""

import json
import os
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from cloudevents.core.bindings import http as binding
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook, WebhookVerificationError

FACTS = json.loads(Path(os.environ["INTEROP_FACTS"]).read_text(encoding="utf-8"))
WAIT_SECONDS = 60
GOT = []


class Hook(BaseHTTPRequestHandler):
    def do_OPTIONS(self):
        self.send_response(200)
        self.send_header("WebHook-Allowed-Origin", self.headers["WebHook-Request-Origin"])
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        GOT.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def ask(who, method, path, **more):
    headers = {"authorization": f"Bearer {FACTS[who]['token']}"}
    headers |= {"idempotency-key": str(uuid.uuid4())} | more.pop("headers", {})
    answer = httpx.request(method, FACTS["api"] + path, headers=headers, timeout=30, **more)
    assert answer.status_code < 300, answer.text
    return answer.json()


def subscribed(kind, **more):
    wanted = {
        "subscriber": FACTS["subscriber"]["application"], "title": "Interop", "kind": kind,
        "types": [FACTS["type"]],
    } | more  # fmt: skip
    made = ask("subscriber", "POST", "/subscriptions", json=wanted)
    until(lambda: ask("subscriber", "GET", f"/subscriptions/{made['id']}")["state"] == "active")
    return made["id"]


def until(condition):
    end = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)
    return found


def event(number):
    attributes = {
        "type": FACTS["type"], "source": "/interop/python", "subject": f"key-{number}",
        "id": str(uuid.uuid4()), "specversion": "1.0", "datacontenttype": "application/json",
        "interopnote": "sebuah é",
    }  # fmt: skip
    return CloudEvent(attributes, {"number": number, "name": "Muntok é"})


def published(one, to_message):
    message = to_message(one)
    told = ask("publisher", "POST", "/events", headers=message.headers, content=message.body)
    return told["events"][0]


def arrived(one):
    wanted = one.get_id().encode()
    return until(lambda: next((got for got in GOT if wanted in got[1]), None))


def same(left, right):
    names = ("id", "source", "type", "subject", "specversion", "interopnote")
    told = all(left.get_attributes()[n] == right.get_attributes()[n] for n in names)
    return told and left.get_data() == right.get_data()


def webhook(secret, to_message):
    one = event(1)
    published(one, to_message)
    headers, body = arrived(one)
    Webhook(secret).verify(body, headers)
    read = binding.from_http_event(binding.HTTPMessage(headers, body))
    assert same(one, read), read.get_attributes()
    assert read.get_extension("position").isdigit()
    assert read.get_time() is not None


def changed_body(secret):
    headers, body = GOT[0]
    for wrong in (body + b" ", body.replace(b"1", b"2", 1)):
        try:
            Webhook(secret).verify(wrong, headers)
        except WebhookVerificationError:
            continue
        raise AssertionError("a changed body verifies")


def rotated(old, ident):
    new = ask("subscriber", "POST", f"/subscriptions/{ident}/rotate-secret")["secret"]
    assert new != old
    one = event(2)
    published(one, binding.to_structured_event)
    headers, body = arrived(one)
    for secret in (old, new):
        Webhook(secret).verify(body, headers)


def pulled(ident):
    one = event(3)
    published(one, binding.to_structured_event)
    wanted = {"max": 100, "wait_seconds": 10}
    batch = ask("subscriber", "POST", f"/subscriptions/{ident}/pull", json=wanted)
    documents = [found["event"] for found in batch["events"]]
    read = [JSONFormat().read(None, json.dumps(document)) for document in documents]
    assert any(same(one, found) for found in read), documents


def main():
    hook = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    ident = subscribed("webhook", url=f"http://127.0.0.1:{hook.server_port}/hook")
    secret = ask("subscriber", "GET", f"/subscriptions/{ident}/secret")["secret"]
    pull = subscribed("pull")
    checks = {
        "structured, delivered, verified, parsed": lambda: webhook(
            secret, binding.to_structured_event
        ),
        "binary, delivered, verified, parsed": lambda: webhook(secret, binding.to_binary_event),
        "a changed body is refused": lambda: changed_body(secret),
        "old and new secret verify while they overlap": lambda: rotated(secret, ident),
        "pulled, parsed": lambda: pulled(pull),
    }
    passed = 0
    for name, check in checks.items():
        try:
            check()
        except Exception as error:  # noqa: BLE001 - the tally names whatever went wrong
            print(f"  FAIL {name}: {error!r}")
        else:
            passed += 1
            print(f"  ok   {name}")
    for one in (ident, pull):
        ask("subscriber", "POST", f"/subscriptions/{one}/end", json={"reason": "interop is done"})
    print(f"cloudevents, standardwebhooks (Python): {passed}/{len(checks)}")
    sys.exit(passed != len(checks))


if __name__ == "__main__":
    main()
