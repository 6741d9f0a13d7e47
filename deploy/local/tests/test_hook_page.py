"""The webhook test page: what arrives is judged and shown, and nobody else's page reads it."""

import http.client
import json
import threading
import time

import httpx
import pytest
from sebalai_local.agency import hook_page
from sebalai_local.agency.hook import compact, key_of, new_secret, signed
from sebalai_local.cli import run

SECRET = new_secret()


@pytest.fixture
def page():
    with hook_page.Server(0, SECRET, 204, 1) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def post(page, event, secret=SECRET, at=None):
    body, at = compact(event), int(time.time()) if at is None else at
    headers = signed(key_of(secret), event["id"], at, body)
    return httpx.post(page.address, content=body, headers=headers).status_code


def test_each_attempt_is_shown_with_its_number_and_signature(page, capsys):
    event = {"id": "e-1", "data": {"name": "<script>alert(1)</script>"}}
    asked = httpx.options(page.address, headers={"WebHook-Request-Origin": "bus.example"})
    assert asked.headers["WebHook-Allowed-Origin"] == "bus.example"
    answers = [post(page, event), post(page, event), post(page, event, new_secret())]
    answers.append(post(page, event | {"id": "e-2"}, at=1_000_000_000))
    assert answers == [500, 204, 204, 204]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["number"] for one in told] == [1, 2, 3, 1]
    assert [one["signature"] for one in told] == ["good", "good", "wrong", "too old, or of no time"]
    answer = httpx.get(page.address.removesuffix("hook"))
    assert answer.text.count("<tr><td>") == len(answers)
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_page_under_another_name_reads_nothing(page):
    url = page.address.removesuffix("hook")
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("length", ["-1", "x", "9" * 5_000, str(hook_page.BODY_BYTES_MAX + 1)])
def test_a_body_without_an_honest_length_is_not_read(page, length):
    connection = http.client.HTTPConnection("127.0.0.1", page.server_port, timeout=20)
    connection.request("POST", "/hook", headers={"Content-Length": length})
    assert connection.getresponse().status == 413
    connection.close()
    assert not page.arrived


def test_a_status_nobody_answers_with_is_refused(capsys):
    assert run(["hook", "--answer", "99"]) == 2
    assert "99" in capsys.readouterr().err
