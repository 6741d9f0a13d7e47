"""A developer hears events on his own address, sends some, and has them delivered once more."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from sebalai_exchange.subscriptions.secrets import signature
from sebalai_local.agency.hook import key_of, new_secret
from sebalai_local.cli import run
from sebalai_shared.ids import uuid7

PUBLISHER, SUBSCRIBER = "dinsos-pmd/bansos", "dinkes/puskesmas"
TYPE = "dinsos-pmd.parcel.given.v1"
WAIT_SECONDS = 30
ROOT, SEBALAI = Path(__file__).parents[2], Path(sys.executable).with_name("sebalai")


class Hook(BaseHTTPRequestHandler):
    """Refuses the first post; keeps every post with its headers."""

    def do_OPTIONS(self):
        self.send_response(200)
        self.send_header("WebHook-Allowed-Origin", "*")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((dict(self.headers.items()), body))
        self.send_response(500 if len(self.server.got) == 1 else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        server.got = []
        server.url = f"http://127.0.0.1:{server.server_port}/hook"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def until(condition):
    end = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
    return found


@pytest.fixture
def sebalai(platform, tmp_path, monkeypatch, capsys):
    """Runs a command as an application; answers its exit code and what it printed."""

    def profile(name):
        return str(tmp_path / f"{name.replace('/', '.')}.json")

    def command(name, *words):
        monkeypatch.setenv("SEBALAI_PROFILE", profile(name))
        code = run(words)
        return code, capsys.readouterr().out

    command.profile = profile
    for name in (PUBLISHER, SUBSCRIBER):
        known = platform.application(name)
        words = ("--gateway", platform.gateway, "--client-id", known["client_id"])
        assert command(name, "login", *words, "--key", str(ROOT / known["key_file"]))[0] == 0
    return command


def ask(platform, name, method, path, **more):
    headers = {"authorization": f"Bearer {platform.token(name)}", "idempotency-key": str(uuid7())}
    url = f"{platform.gateway}/api/exchange/v1{path}"
    answer = httpx.request(method, url, headers=headers, timeout=20, **more)
    assert answer.status_code < 300, answer.text
    return answer.json()


@contextlib.contextmanager
def listening(platform, sebalai, *words):
    """`sebalai listen` as a process, once it listens."""
    env = platform.env | {"SEBALAI_PROFILE": sebalai.profile(SUBSCRIBER)}
    command = [SEBALAI, "listen", *words]
    with subprocess.Popen(
        command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            while "listening" not in (line := process.stderr.readline()):
                assert line, "it ended"
            yield process
        finally:
            process.terminate()


def test_a_developer_hears_events_on_his_own_address(platform, sebalai, hook):
    topic = {
        "type": TYPE, "title": "Paket diberikan", "description": "A parcel was given.",
        "schema": {"type": "object", "required": ["number"]}, "examples": [{"number": 1}],
        "access": "open",
    }  # fmt: skip
    ask(platform, PUBLISHER, "POST", "/topics", json=topic)
    secret = new_secret()
    words = ("dinsos-pmd.parcel.*", "--forward-to", hook.url, "--secret", secret, "--count", "2")
    words = (*words, "--where", "subject = 'a' AND publisher LIKE '%/dinsos-pmd/bansos'")
    with listening(platform, sebalai, *words, "--json") as process:
        assert sebalai(PUBLISHER, "trigger", TYPE, "--subject", "left out")[0] == 0
        assert sebalai(PUBLISHER, "trigger", TYPE, "--subject", "a")[0] == 0
        data = ("--data", '{"number": 2}')
        assert sebalai(PUBLISHER, "trigger", TYPE, "--subject", "a", *data)[0] == 0
        told, _ = process.communicate(timeout=WAIT_SECONDS)
        assert process.returncode == 0
    # The first was refused once, and came again before the second, which has its key.
    numbers = [json.loads(body)["data"]["number"] for _, body in hook.got]
    assert numbers == [1, 1, 2]
    lines = [json.loads(line) for line in told.splitlines()]
    assert [line["status"] for line in lines] == [500, 204, 204]
    for headers, body in hook.got:
        ident, stamp = headers["webhook-id"], int(headers["webhook-timestamp"])
        assert headers["webhook-signature"] == signature(key_of(secret), ident, stamp, body)
    listed = ask(platform, SUBSCRIBER, "GET", "/subscriptions")["items"]
    assert [one["state"] for one in listed if one["title"] == "sebalai listen"] == ["ended"]


def test_a_developer_sees_what_was_received_and_has_it_sent_again(platform, sebalai, hook):
    topic = {
        "type": "dinsos-pmd.parcel.returned.v1", "title": "Paket kembali",
        "description": "A parcel came back.", "schema": {"type": "object"},
        "examples": [{"number": 1}], "access": "open",
    }  # fmt: skip
    ask(platform, PUBLISHER, "POST", "/topics", json=topic)
    hook.got.append(None)  # every post is taken
    wanted = {
        "subscriber": platform.application(SUBSCRIBER)["identifier"], "title": "Parcels",
        "types": [topic["type"]], "kind": "webhook", "url": hook.url,
    }  # fmt: skip
    made = ask(platform, SUBSCRIBER, "POST", "/subscriptions", json=wanted)
    own = f"/subscriptions/{made['id']}"
    until(lambda: ask(platform, SUBSCRIBER, "GET", own)["state"] == "active")
    _, told = sebalai(PUBLISHER, "trigger", topic["type"], "--json")
    ident = json.loads(told)["event_id"]
    here = ("--subscription", made["id"])
    until(lambda: ident in sebalai(SUBSCRIBER, "events", "list", *here)[1])
    code, told = sebalai(SUBSCRIBER, "events", "attempts", ident, *here, "--json")
    assert code == 0
    assert [(one["number"], one["status"]) for one in json.loads(told)] == [(1, 204)]
    code, told = sebalai(SUBSCRIBER, "events", "attempts", str(uuid7()), *here)
    assert (code, told) == (1, "It was never tried here.\n")
    assert "1 of 1 received" in sebalai(PUBLISHER, "events", "show", ident)[1]
    assert sebalai(SUBSCRIBER, "events", "resend", ident, *here) == (0, "1 fit; add --yes.\n")
    assert len(hook.got) == 2
    assert sebalai(SUBSCRIBER, "events", "resend", ident, *here, "--yes")[0] == 0
    until(lambda: len(hook.got) == 3)
    (first, body), (again, same) = hook.got[1:]
    assert (first["webhook-id"], body) == (again["webhook-id"], same)
    assert again["webhook-replay"] == "true"
    ask(platform, SUBSCRIBER, "POST", f"{own}/end", json={"reason": "the test is over"})


def test_a_developer_asks_how_far_back_events_may_be_heard(platform, sebalai, tmp_path):
    contract = tmp_path / "contract.json"
    contract.write_text('{"openapi": "3.1.0", "info": {"title": "P", "version": "1"}, "paths": {}}')
    publish = ("interfaces", "publish", "parcels", str(contract), "--address", "http://127.0.0.1:9")
    assert sebalai(PUBLISHER, *publish)[0] == 0
    owner = platform.application(PUBLISHER)["identifier"]
    wanted = (
        "agreements", "request", f"{owner}/parcels", "--rule", f"SUBSCRIBE /{TYPE}",
        "--purpose", "gizi=Permenkes 1/2021 pasal 3", "--until", "2027-11-24T00:00:00Z",
    )  # fmt: skip
    code, told = sebalai(SUBSCRIBER, *wanted, "--keep-days", "7", "--json")
    assert code == 0
    (purpose,) = json.loads(told)["purposes"]
    assert (purpose["code"], purpose["keep_days"]) == ("gizi", 7)
    code, told = sebalai(SUBSCRIBER, *wanted, "--keep-days", "gizi=14")
    assert code == 0
    assert told.endswith("Events are heard back for, in days: gizi 14.\n")
