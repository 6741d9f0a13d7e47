"""One process of a running platform held down, and let go."""

import json
import signal
import socket
import sys
import time

import pytest
from sebalai_local import holding
from sebalai_local.home import Home
from sebalai_local.launching import Program
from sebalai_local.supervisor import Supervisor
from sebalai_local.units import Unit, is_free

LINGERING = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.3), sys.exit(0)))
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home", 9130)
    made.make()
    return made


def states(platform):
    shown = json.loads(platform.cli("status", "--json").stdout)
    assert shown["state"] == "running"
    return {one["name"]: one["state"] for one in shown["processes"]}


def test_held_process_stays_down_until_started_and_its_dependants_run_on(make_platform):
    platform = make_platform()
    platform.up()
    gateway, port = platform.of("gateway").pid, platform.home.port("identity")
    stopped = platform.cli("stop", "identity")
    assert stopped.returncode == 0, stopped.stderr
    assert is_free(port)
    assert states(platform) == {"identity": "held", "gateway": "running"}
    assert "held" in platform.cli("status").stdout
    assert platform.of("gateway").pid == gateway
    assert platform.cli("start", "identity").returncode == 0
    assert states(platform) == {"identity": "running", "gateway": "running"}
    socket.create_connection(("127.0.0.1", port)).close()
    assert (platform.of("identity").restarts, platform.of("gateway").pid) == (0, gateway)


def test_hold_outlives_the_death_of_others_and_ends_with_a_new_up(make_platform):
    platform = make_platform()
    platform.up()
    platform.cli("stop", "gateway")
    killed = platform.kill("identity")
    platform.wait(lambda: platform.of("identity").pid not in (None, killed))
    assert platform.of("gateway").state == "held"
    assert platform.up().returncode == 0
    assert platform.of("gateway").state == "held"
    platform.cli("down")
    assert platform.up().returncode == 0
    assert states(platform) == {"identity": "running", "gateway": "running"}


def test_held_database_refuses_connections_and_comes_back_ready(make_platform):
    platform = make_platform("engines")
    started = platform.up()
    assert started.returncode == 0, started.stderr
    others = {name: platform.of(name).pid for name in ("nats", "identity", "gateway")}
    assert platform.cli("stop", "postgres").returncode == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", platform.home.port("postgres")))
    assert platform.cli("start", "postgres").returncode == 0
    socket.create_connection(("127.0.0.1", platform.home.port("postgres"))).close()
    assert {name: platform.of(name).pid for name in others} == others


def test_status_for_programs_names_what_a_drill_needs(make_platform):
    platform = make_platform()
    platform.up()
    listed = json.loads(platform.cli("status", "--json").stdout)["processes"]
    identity = next(one for one in listed if one["name"] == "identity")
    keys = {"name", "pid", "port", "since", "restarts", "state", "memory_mib"}
    assert set(identity) == keys
    assert identity["port"] == platform.home.port("identity")


@pytest.mark.parametrize("command", ["stop", "start"])
def test_unknown_name_is_wrong_usage_and_lists_the_known(make_platform, command):
    platform = make_platform()
    platform.up()
    for name in ("nobody", "step", "../state.json"):
        refused = platform.cli(command, name)
        assert refused.returncode == 2
        assert "There are: gateway, identity." in refused.stderr


def _pass_until(supervisor, condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        supervisor._pass()
        time.sleep(0.02)


def test_stop_once_begun_is_finished_even_if_a_start_comes_between(home):
    program = Program([sys.executable, "-c", LINGERING])
    supervisor = Supervisor(home, (Unit("slow", program=lambda: program),))
    entry = supervisor._entries["slow"]
    place = holding.marker(home, "slow")
    place.parent.mkdir()
    try:
        _pass_until(supervisor, lambda: entry.shown.state == "ready")
        first = entry.shown.pid
        place.touch()
        _pass_until(supervisor, lambda: entry.shown.state == "stopping")
        place.unlink()
        _pass_until(supervisor, lambda: entry.shown.state == "ready")
        assert entry.shown.pid != first
        assert (entry.shown.restarts, entry.stopping_until) == (0, None)
    finally:
        entry.process.send_signal(signal.SIGKILL)
        entry.process.wait()


def test_dependant_that_backs_off_is_tried_at_once_when_what_it_needs_returns(home):
    database, step = Unit("database"), Unit("load", is_step=True, needs=("database",))
    worker, stranger = Unit("worker", needs=("load",)), Unit("stranger")
    supervisor = Supervisor(home, (database, step, worker, stranger))
    supervisor._state.phase = "running"
    for name in ("worker", "stranger"):
        entry = supervisor._entries[name]
        entry.shown.state, entry.next_at, entry.delay = "backing off", 1e12, 15.0
    supervisor._settle(supervisor._entries["database"], "ready")
    assert supervisor._entries["worker"].next_at == 0.0
    assert supervisor._entries["stranger"].next_at == 1e12
