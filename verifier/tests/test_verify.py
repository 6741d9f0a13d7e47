"""The command as an auditor meets it: what holds, and what each change leads to."""

import base64
import copy
import io
import json
import subprocess
import sys
from dataclasses import dataclass, field
from hashlib import sha256

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sebalai_verifier.__main__ import main
from sebalai_verifier.failures import VerificationError
from sebalai_verifier.keys import parse_key, parse_keys
from sebalai_verifier.receipt import verify_receipt

HOST = "bus.example/ledger"
ORIGIN = f"{HOST}/exchanges/2026"


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def tree(leaves):
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\1" + tree(leaves[:k]) + tree(leaves[k:])).digest()


def audit_path(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*audit_path(index, leaves[:k]), tree(leaves[k:])]
    return [*audit_path(index - k, leaves[k:]), tree(leaves[:k])]


@dataclass
class Log:
    origin: str = ORIGIN
    key: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    )

    def key_id(self, name):
        public = self.key.public_key().public_bytes_raw()
        return sha256(name.encode() + b"\n\1" + public).digest()[:4]

    def vkey(self, name=HOST):
        public = self.key.public_key().public_bytes_raw()
        encoded = base64.b64encode(b"\1" + public).decode()
        return f"{name}+{self.key_id(name).hex()}+{encoded}"

    def checkpoint(self, leaves, more=""):
        root = base64.b64encode(tree(leaves)).decode()
        text = f"{self.origin}\n{len(leaves)}\n{root}\n{more}"
        signed = base64.b64encode(self.key_id(self.origin) + self.key.sign(text.encode()))
        return f"{text}\n— {self.origin} {signed.decode()}\n"

    def receipt(self, size=7, index=3, payload=None, kind="call"):
        payload = payload or call()
        ident, time = ("message_id", "completed_at") if kind == "call" else ("id", "time")
        salt = bytes(range(32))
        leaf = rfc8785.dumps(
            {
                "v": 1,
                "kind": kind,
                "time": payload[time],
                "id": payload[ident],
                "commitment": sha256(salt + rfc8785.dumps(payload)).hexdigest(),
            }
        )
        leaves = [b"other %d" % i for i in range(size)]
        leaves[index] = leaf
        return {
            "format": f"sebalai-{kind}-receipt/1",
            "payload": payload,
            "salt": base64.urlsafe_b64encode(salt).decode().rstrip("="),
            "leaf": leaf.decode(),
            "log": {
                "origin": self.origin,
                "index": index,
                "size": size,
                "proof": [h.hex() for h in audit_path(index, leaves)],
                "checkpoint": self.checkpoint(leaves),
            },
        }


def call(**more):
    return {
        "v": 1,
        "message_id": "0199d0c0-0000-7000-8000-000000000001",
        "completed_at": "2026-11-24T08:00:00.000Z",
        "consumer": "ID-BB/GOV/dinsos-pmd/bansos",
        "interface": "ID-BB/GOV/dp3acskb/kependudukan/penduduk",
        "method": "GET",
        "outcome": "answered",
        "status": 200,
        "purpose": "verifikasi-bansos",
        "problem": None,
        "request": {"sha256": "00" * 32, "bytes": 0},
        "response": {"sha256": "11" * 32, "bytes": 120},
    } | more


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def run(tmp_path, log, capsys, monkeypatch):
    """Runs the command on a document or raw bytes; answers exit code, output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEBALAI_LEDGER_KEYS", raising=False)

    def command(document, key="pinned"):
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        (tmp_path / "receipt.json").write_bytes(content)
        options = [] if key is None else ["--key", log.vkey() if key == "pinned" else key]
        code = main(["receipt.json", *options])
        out = capsys.readouterr()
        return code, out.out, out.err

    return command


LOG = Log()
KEYS = [parse_key(LOG.vkey())]


def reason(document, keys=KEYS):
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(VerificationError) as caught:
        verify_receipt(content, keys)
    return caught.value.reason


def changed(path, value):
    document = copy.deepcopy(LOG.receipt())
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def test_true_receipt_exits_0_and_says_what_it_proves(run, log):
    code, out, err = run(log.receipt())
    assert (code, err) == (0, "")
    assert "OK   call 0199d0c0-0000-7000-8000-000000000001" in out
    assert "ID-BB/GOV/dinsos-pmd/bansos -> ID-BB/GOV/dp3acskb/kependudukan/penduduk" in out
    assert "entry 3 of 7 in bus.example/ledger/exchanges/2026, signed by bus.example/ledger" in out


def test_event_receipt_holds(run, log):
    event = {"id": "a", "time": "2026-11-24T08:00:00Z", "type": "archive.record.declared.v1"}
    code, out, _ = run(log.receipt(payload=event, kind="event"))
    assert code == 0
    assert "archive.record.declared.v1" in out


@given(size=st.integers(1, 80), data=st.data())
@settings(deadline=None)
def test_every_entry_of_every_log_size_holds(size, data):
    index = data.draw(st.integers(0, size - 1))
    verified = verify_receipt(json.dumps(LOG.receipt(size, index)).encode(), KEYS)
    assert (verified.index, verified.size, verified.kind) == (index, size, "call")


def test_each_changed_payload_value_fails():
    for name, value in call().items():
        other = "changed" if value != "changed" else "else"
        found = reason(changed(["payload", name], other))
        assert found in {"commitment", "leaf-mismatch"}, name
    assert reason(changed(["payload", "extra"], 1)) == "commitment"
    assert reason(changed(["payload", "response"], {"sha256": "11" * 32, "bytes": 121})) == (
        "commitment"
    )


@pytest.mark.parametrize("path", [["salt"], ["leaf"], ["log", "origin"], ["log", "checkpoint"]])
def test_each_changed_character_of_a_text_fails(path):
    text = LOG.receipt()
    for key in path:
        text = text[key]
    for at in range(len(text)):
        for other in ("A", "z", "0", "\n", "—", ""):
            if text[at] == other:
                continue
            reason(changed(path, text[:at] + other + text[at + 1 :]))


def test_each_changed_digit_of_the_proof_fails():
    proof = LOG.receipt()["log"]["proof"]
    for number, digest in enumerate(proof):
        for at in range(len(digest)):
            other = "0" if digest[at] != "0" else "1"
            changed_proof = list(proof)
            changed_proof[number] = digest[:at] + other + digest[at + 1 :]
            assert reason(changed(["log", "proof"], changed_proof)) == "inclusion"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_any_changed_byte_of_the_file_fails_or_says_the_same(at, byte):
    content = bytearray(json.dumps(LOG.receipt()).encode())
    at %= len(content)
    content[at] = byte
    try:
        verified = verify_receipt(bytes(content), KEYS)
    except VerificationError:
        return
    assert json.loads(content) == LOG.receipt()
    assert verified.payload == call()


def test_a_proof_too_short_too_long_or_reordered_fails():
    proof = LOG.receipt()["log"]["proof"]
    for other in ([], proof[:-1], [*proof, "00" * 32], proof[::-1]):
        assert reason(changed(["log", "proof"], other)) == "inclusion"


@pytest.mark.parametrize("index", [0, 1, 2, 4, 6, 7, 8, 2**53 - 1])
def test_another_index_fails(index):
    assert reason(changed(["log", "index"], index)) == "inclusion"


def test_a_size_other_than_the_checkpoints_fails():
    assert reason(changed(["log", "size"], 8)) == "checkpoint-mismatch"
    assert reason(changed(["log", "origin"], "bus.example/ledger/records")) == (
        "checkpoint-mismatch"
    )


def test_a_leaf_of_another_call_fails():
    other = LOG.receipt(payload=call(message_id="0199d0c0-0000-7000-8000-000000000002"))
    other["payload"] = call()
    assert reason(other) == "leaf-mismatch"
    assert reason(changed(["payload", "completed_at"], "2026-11-24T08:00:01.000Z")) == (
        "leaf-mismatch"
    )
    event = LOG.receipt()
    event["format"] = "sebalai-event-receipt/1"
    event["payload"] |= {"id": event["payload"]["message_id"], "time": "x"}
    assert reason(event) == "leaf-mismatch"


def test_key_of_another_ledger_is_unknown(run):
    other = Log(key=Ed25519PrivateKey.from_private_bytes(b"t" * 32))
    assert run(LOG.receipt(), other.vkey())[2].startswith("FAILED unknown-key: ")
    assert run(LOG.receipt(), LOG.vkey("bus.example/led"))[2].startswith("FAILED unknown-key: ")
    assert run(LOG.receipt(), LOG.vkey("other.example/ledger"))[0] == 1


def test_forged_checkpoint_fails_on_its_signature(run):
    checkpoint = LOG.receipt()["log"]["checkpoint"]
    code, out, err = run(changed(["log", "checkpoint"], checkpoint.replace("\n7\n", "\n8\n")))
    assert (code, out) == (1, "")
    assert err.startswith("FAILED signature: ")


def test_cosignatures_and_extension_lines_are_passed_over():
    document = LOG.receipt()
    document["log"]["checkpoint"] += "— witness.example AAAAAAAA\n"
    assert verify_receipt(json.dumps(document).encode(), KEYS).size == 7
    document["log"]["checkpoint"] += f"— {ORIGIN} {'A' * 92}\n"
    assert verify_receipt(json.dumps(document).encode(), KEYS).size == 7


def test_key_named_like_the_log_itself_is_enough(run):
    assert run(LOG.receipt(), LOG.vkey(ORIGIN))[0] == 0


def test_key_comes_from_option_file_environment_or_default_file(run, tmp_path, monkeypatch):
    (tmp_path / "keys").write_text(f"# pinned 2026\n\n{LOG.vkey()}\n", encoding="utf-8")
    assert run(LOG.receipt(), "keys")[0] == 0
    assert run(LOG.receipt(), None)[2].startswith("FAILED missing-key: no pinned key")
    (tmp_path / ".run").mkdir()
    (tmp_path / ".run/ledger.vkey").write_text(LOG.vkey(), encoding="utf-8")
    assert run(LOG.receipt(), None)[0] == 0
    monkeypatch.setenv("SEBALAI_LEDGER_KEYS", "elsewhere")
    assert run(LOG.receipt(), None)[0] == 1
    monkeypatch.setenv("SEBALAI_LEDGER_KEYS", str(tmp_path / "keys"))
    assert run(LOG.receipt(), None)[0] == 0


def test_unusable_key_fails_with_its_reason(run, tmp_path):
    assert run(LOG.receipt(), "nothing-here")[2].startswith("FAILED missing-key: --key is neither")
    assert run(LOG.receipt(), "a\0b")[2].startswith("FAILED missing-key: ")
    (tmp_path / "empty").write_text("# none\n", encoding="utf-8")
    assert run(LOG.receipt(), "empty")[2].startswith("FAILED missing-key: ")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert run(LOG.receipt(), "binary")[2].startswith("FAILED missing-key: ")
    (tmp_path / "garbage").write_text("garbage\n", encoding="utf-8")
    assert run(LOG.receipt(), "garbage")[2].startswith("FAILED malformed-key: ")


def test_malformed_keys_are_refused():
    name, key_id, key = LOG.vkey().split("+", 2)
    for text in (
        f"{name}+00000000+{key}",
        f"{name}+{key_id}+AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        f"{name}+{key_id}+" + "=" * 44,
        f"{name}+{key_id}",
        f"na me+{key_id}+{key}",
    ):
        with pytest.raises(VerificationError, match="malformed-key"):
            parse_keys(text)


def test_missing_file_is_unreadable(run, tmp_path, capsys):
    assert main([str(tmp_path / "absent"), "--key", LOG.vkey()]) == 1
    assert capsys.readouterr().err.startswith("FAILED unreadable: ")


def test_receipt_is_read_from_standard_input(monkeypatch, capsys):
    content = io.BytesIO(json.dumps(LOG.receipt()).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    assert main(["-", "--key", LOG.vkey()]) == 0


def test_control_characters_do_not_reach_the_terminal(run):
    code, out, _ = run(LOG.receipt(payload=call(consumer="\x1b[2Jx\n")))
    assert code == 0
    assert "\x1b" not in out
    assert "?[2Jx?" in out


MALFORMED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 200_000,
    b'{"a":1,"a":1}',
    b'{"a":NaN}',
    b'{"a":' + b"9" * 5_000 + b"}",
    b" " * (1024 * 1024 + 1),
    *[
        json.dumps(changed(path, value)).encode()
        for path, values in {
            ("format",): [None, 1, "sebalai-call-receipt/2", ["x"]],
            ("payload",): [None, [], "x", {}, {"message_id": 1}],
            ("payload", "message_id"): [None, 1, {}],
            ("payload", "status"): [2**60, "\ud800", {"\ud800": 1}],
            ("salt",): [None, 1, "", "AAAA", "é" * 43, "A" * 44, "+" * 43],
            ("leaf",): [None, "", "{}", "[]", "x" * 1025, '{"v":1}'],
            ("log",): [None, [], {}, {"origin": 1}],
            ("log", "index"): [None, -1, 1.0, True, "3", 2**53],
            ("log", "size"): [None, -1, 7.0, True, "7"],
            ("log", "proof"): [None, {}, "x", [1], ["AB" * 32], ["ab"], ["00" * 32] * 65],
            ("log", "checkpoint"): [
                None,
                "",
                "\n\n",
                "a\n1\nx\n\n— a b",
                "a\n01\nAA==\n\n— a b\n",
                f"a\n1\n{'A' * 43}=\n\nno line\n",
                f"a\n1\n{'A' * 43}=\n\n" + "— a b\n" * 17,
                f"a\n1\n{'A' * 43}=\n\n\n",
                f"a\n1\n{'A' * 42}B=\n\n— a b\n",
                f"a\n9999999999999999\n{'A' * 43}=\n\n— a b\n",
            ],
            ("extra",): [1],
        }.items()
        for value in values
    ],
]


@pytest.mark.parametrize("content", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_receipt_is_named_so_and_never_a_traceback(content):
    assert reason(content) == "malformed"


def leaf_text(**more):
    leaf = json.loads(LOG.receipt()["leaf"]) | more
    return json.dumps(leaf, separators=(",", ":"), sort_keys=True)


@pytest.mark.parametrize(
    "leaf",
    [leaf_text(v=2), leaf_text(v=True), leaf_text(more=1), " " + leaf_text(), leaf_text(v=1.0)],
)
def test_leaf_in_another_spelling_is_malformed(leaf):
    assert reason(changed(["leaf"], leaf)) == "malformed"


def test_leaf_with_a_broken_commitment_is_malformed_even_when_logged():
    document = LOG.receipt()
    leaf = leaf_text(commitment="short")
    leaves = [leaf.encode()]
    document["leaf"] = leaf
    document["log"] |= {
        "index": 0,
        "size": 1,
        "proof": [],
        "checkpoint": LOG.checkpoint(leaves),
    }
    assert reason(document) == "malformed"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_json_is_malformed_and_nothing_else(value):
    assert reason(json.dumps(value).encode()) == "malformed"


def test_command_runs_as_a_program(tmp_path):
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(LOG.receipt()), encoding="utf-8")
    command = [sys.executable, "-m", "sebalai_verifier", str(file), "--key", LOG.vkey()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
