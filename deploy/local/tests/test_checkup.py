"""What `sebalai doctor` and `call` say of a gateway: one of a few lines that is told what to answer."""

import base64
import json
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time

import pytest
from joserfc.jwk import ECKey
from sebalai_local.agency import checkup, profile
from sebalai_local.cli import run

CLAIMS = {"application": "ID-BB/GOV/a/b", "scope": "bus.call"}
TOKEN = "e30." + base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode() + ".e30"
FILE = b"%PDF\x00\xff\xfe\r\n"


class Gateway(ThreadingHTTPServer):
    """Answers by path; `ahead` is how many seconds its clock is."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.ahead, self.agreements = 0, []
        self.answers = {
            "/.well-known/openid-configuration": (200, {"issuer": "http://x"}),
            "/oauth/token": (200, {"access_token": TOKEN, "expires_in": 300}),
        }


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        path, more = self.path.partition("?")[0], {"items": self.server.agreements}
        status, told = self.server.answers.get(path, (200, more))
        body = FILE if path.startswith("/r1/") else json.dumps(told).encode()
        self.send_response_only(status)
        self.send_header("Date", formatdate(time() + self.server.ahead, usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def gateway(tmp_path, monkeypatch):
    made = Gateway()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    key = tmp_path / "key.jwk"
    key.write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
    monkeypatch.setenv("SEBALAI_PROFILE", str(tmp_path / "profile.json"))
    made.key, made.url = key, f"http://127.0.0.1:{made.server_port}"
    profile.save(profile.Profile(gateway=made.url, client_id="c", key_file=str(key)))
    yield made
    made.shutdown()
    made.server_close()


def told(capsys):
    return [line[2:] for line in capsys.readouterr().out.splitlines() if line.startswith("! ")]


def test_all_well_is_five_lines(gateway, capsys):
    assert checkup.check() == 0
    words = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert words == ["key", "gateway", "clock", "token", "agreed"]


@pytest.mark.parametrize(("ahead", "said"), [(3_600, "s behind"), (-3_600, "s ahead of")])
def test_a_wrong_clock_is_named_before_the_token_it_spoils(gateway, capsys, ahead, said):
    gateway.ahead, gateway.answers["/oauth/token"] = ahead, (401, {"error": "invalid_client"})
    assert checkup.check() == 1
    (line,) = told(capsys)
    assert said in line
    assert "chrony" in line


def test_a_key_that_is_not_let_in_is_named_by_what_to_compare(gateway, capsys):
    gateway.answers["/oauth/token"] = (401, {"error": "invalid_client"})
    assert checkup.check() == 1
    (line,) = told(capsys)
    assert "Compare c and the thumbprint" in line


def test_a_public_key_is_no_key(gateway, capsys):
    public = ECKey.generate_key("P-256").as_dict(private=False)
    gateway.key.write_text(json.dumps(public))
    assert checkup.check() == 1
    assert "no private key" in told(capsys)[0]


def test_what_is_no_gateway_is_told_as_such(gateway, capsys):
    gateway.answers["/.well-known/openid-configuration"] = (200, ["hello"])
    assert run(["whoami"]) == 1
    assert "is no gateway" in capsys.readouterr().err


def test_an_agreement_that_ends_soon_is_named(gateway, capsys):
    one = {
        "consumer": CLAIMS["application"],
        "interface": "i",
        "valid_until": "2026-01-01T00:00:00Z",
    }
    gateway.agreements = [one, one | {"consumer": "another"}]
    assert checkup.check() == 1
    assert told(capsys) == ["The agreement for i ends 2026-01-01T00:00:00Z: ask anew."]


def test_a_file_that_is_called_for_comes_byte_for_byte(gateway, capfdbinary):
    assert run(["call", "GET", "ID-BB/GOV/a/b/c/x", "--purpose", "p"]) == 0
    assert capfdbinary.readouterr().out == FILE


@pytest.mark.parametrize("header", ["X: a\nb", "X Y: a", "X: \u00e9"])
def test_what_is_no_header_is_misuse_and_not_the_gateways_fault(gateway, capsys, header):
    line = ["call", "GET", "ID-BB/GOV/a/b/c/x", "--purpose", "p", "--header", header]
    assert run(line) == 2
    assert "cannot be sent as a header" in capsys.readouterr().err
