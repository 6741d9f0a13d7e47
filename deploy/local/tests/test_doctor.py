"""What `sebalai doctor` says when something is wrong: one line that names it and what to do."""

import json
import os
import shutil
import signal
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sebalai_local import ailments, machine, state
from sebalai_local.state import PlatformState, ProcessState
from sebalai_shared.clock import SystemClock, to_text


@pytest.fixture
def home(tmp_path, make_platform):
    home = make_platform().home
    home.make()
    return home


def found(home, **process):
    one = ProcessState(**{"name": "identity", "state": "ready"} | process)
    return ailments.find(home, PlatformState(pid=1, created=0, base_port=1, processes=[one]))


def say(home, name, level, message, ago=timedelta(), **more):
    line = {"time": to_text(SystemClock().now() - ago), "level": level, "message": message} | more
    with (home.logs / f"{name}.log").open("a") as log:
        log.write(json.dumps(line) + "\n")


def certificate(days):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registry.example")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM)


def test_a_platform_that_is_well_has_no_line(make_platform):
    platform = make_platform("engines")
    assert platform.up().returncode == 0
    assert ailments.find(platform.home, platform.state) == []


def test_a_process_that_ended_is_named_with_its_last_words(home):
    say(home, "archive-worker", "INFO", "began")
    say(
        home,
        "archive-worker",
        "ERROR",
        "worker ended",
        exception="Traceback\nOSError: no space left",
    )
    (line,) = found(home, name="archive-worker", state="backing off", restarts=7)[:1]
    assert "archive-worker ended, 7 times" in line
    assert "OSError: no space left" in line
    assert "sebalai logs archive-worker" in line


@pytest.mark.parametrize(("name", "told"), [("postgres", "503"), ("nats", "Facts wait")])
def test_an_engine_that_is_held_says_what_that_means(home, name, told):
    (line,) = found(home, name=name, state="held")
    assert told in line
    assert f"sebalai start {name}" in line


def test_a_database_that_is_away_is_named_by_who_needs_it(make_platform, tmp_path):
    platform = make_platform("unready")
    assert platform.up().returncode == 0
    lines = ailments.find(platform.home, platform.state)
    assert [line for line in lines if "identity cannot use its database" in line]


def test_a_member_that_is_stopped_still_is_told_apart(make_platform):
    platform = make_platform()
    assert platform.up().returncode == 0
    one = platform.of("identity")
    process = state.find(one.pid, one.created)
    process.send_signal(signal.SIGSTOP)
    lines = ailments.find(platform.home, platform.state)
    process.send_signal(signal.SIGCONT)
    assert [line for line in lines if line.startswith("identity does not answer")]


def test_a_worker_that_runs_and_does_not_move_is_named(home):
    beat = home.root / "heartbeats" / "exchange-worker"
    beat.touch()
    assert found(home, name="exchange-worker") == []
    os.utime(beat, (time.time() - 95, time.time() - 95))
    (line,) = found(home, name="exchange-worker")
    assert "has not moved for 95 s" in line
    assert "sebalai stop exchange-worker" in line


def test_what_a_worker_complains_of_now_is_passed_on_and_old_complaints_are_not(home):
    say(home, "catalog-worker", "WARNING", "waiting for NATS", ago=timedelta(minutes=5))
    assert found(home, name="catalog-worker") == []
    say(
        home,
        "catalog-worker",
        "WARNING",
        "NATS refuses catalog the subject x; its users.conf is older",
    )
    say(home, "catalog-worker", "INFO", "all else is well")
    (line,) = found(home, name="catalog-worker")
    assert line.startswith("catalog-worker says (")
    assert "users.conf is older" in line


def test_that_a_member_was_not_ready_before_hides_no_complaint_and_is_none(home):
    say(home, "gateway", "WARNING", "not ready: keys: keys")
    assert found(home, name="gateway") == []
    say(home, "gateway", "WARNING", "quotas are not shared now")
    say(home, "gateway", "WARNING", "not ready: keys: keys")
    (line,) = found(home, name="gateway")
    assert "quotas are not shared now" in line


def test_a_clock_that_was_put_back_is_told_by_files_of_the_future(home):
    beat = home.root / "heartbeats" / "identity-worker"
    beat.touch()
    os.utime(beat, (time.time() + 3_600, time.time() + 3_600))
    (line,) = found(home)
    assert "The clock was put back by 36" in line


@pytest.mark.parametrize(("days", "told"), [(400, None), (12, "ends in 1"), (-3, "has ended")])
def test_a_certificate_at_its_end_is_named(home, days, told):
    place = home.root / "credentials" / "ID-BB.GOV.dinkes.puskesmas.registry"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(certificate(days))
    (place.parent / "ID-BB.GOV.dinkes.puskesmas.token").write_text("a token, no certificate")
    lines = found(home)
    assert bool(lines) == bool(told)
    if told:
        assert told in lines[0]
        assert place.name in lines[0]


@pytest.mark.parametrize(
    ("free", "total", "is_full"),
    [(200, 1_000, True), (2_000, 200_000, True), (50_000, 200_000, False)],
)
def test_a_disk_that_runs_out_is_named_before_it_is_full(
    monkeypatch, tmp_path, free, total, is_full
):
    used = SimpleNamespace(total=total << 20, used=(total - free) << 20, free=free << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: used)
    lines = machine.full(tmp_path / "not" / "there")
    assert bool(lines) == is_full
    assert all(f"{free} MiB free" in line and "make room" in line for line in lines)


def test_an_address_without_tls_has_no_certificate_and_one_that_is_away_is_told():
    assert machine.ending_tls("http://127.0.0.1:1/") == []
    (line,) = machine.ending_tls("https://127.0.0.1:1/")
    assert "look at the proxy" in line
