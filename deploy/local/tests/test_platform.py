"""The supervisor and the command line against real processes."""

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from sebalai_local import lifecycle, state
from sebalai_local.units import is_free

FAKE = Path(__file__).with_name("fake_platform.py")


def pids(platform):
    return [one.pid for one in platform.state.processes if one.pid]


def test_second_up_changes_nothing(make_platform):
    platform = make_platform()
    assert platform.up().returncode == 0
    before = (platform.state.pid, pids(platform))
    assert platform.up().returncode == 0
    assert (platform.state.pid, pids(platform)) == before


def test_killed_process_is_restarted_and_counted(make_platform):
    platform = make_platform()
    platform.up()
    killed = platform.kill("identity")
    platform.wait(
        lambda: platform.of("identity").state == "ready" and platform.of("identity").pid != killed
    )
    assert platform.of("identity").restarts == 1
    assert platform.of("gateway").restarts == 0


def test_killed_engines_are_restarted(make_platform):
    platform = make_platform("engines")
    started = platform.up()
    assert started.returncode == 0, started.stderr
    for name in ("postgres", "nats"):
        killed = platform.kill(name)
        platform.wait(
            lambda name=name, killed=killed: (
                platform.of(name).state == "ready" and platform.of(name).pid != killed
            )
        )


def test_killed_supervisor_leaves_no_orphan_and_the_next_up_works(make_platform):
    platform = make_platform("engines")
    assert platform.up().returncode == 0
    first = platform.state
    children = [state.find(one.pid, one.created) for one in first.processes if one.pid]
    assert len(children) == 4
    os.kill(first.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    again = platform.up()
    assert again.returncode == 0, again.stderr
    assert platform.state.pid != first.pid
    assert platform.state.phase == "running"


def test_taken_port_is_named_with_its_owner_before_anything_starts(make_platform, listener):
    platform = make_platform()
    port = platform.home.port("gateway")
    listener(port)
    refused = platform.up()
    assert refused.returncode == 1
    assert f"Port {port} (gateway) is taken by pid {os.getpid()} (" in refused.stderr
    assert "SEBALAI_PORT=" in refused.stderr
    assert platform.state is None


def test_down_leaves_no_process_and_no_port(make_platform):
    platform = make_platform("engines")
    platform.up()
    running = platform.state
    stopped = platform.cli("down")
    assert stopped.returncode == 0, stopped.stderr
    assert "No process is left, and 6 ports are free again." in stopped.stdout
    assert all(is_free(port) for one in running.processes for port in one.ports)
    everyone = [running.pid, *(one.pid for one in running.processes if one.pid)]
    assert not any(psutil.pid_exists(pid) for pid in everyone)
    assert platform.cli("down").returncode == 0


def test_failing_step_ends_the_start_with_its_last_words(make_platform):
    platform = make_platform("broken")
    failed = platform.up()
    assert failed.returncode == 1
    assert "sick ended with code 1" in failed.stderr
    assert "the disk is full of love letters" in failed.stderr
    assert not state.is_supervised(platform.home)
    assert platform.cli("status").returncode == 4


def test_leftover_pid_that_another_process_has_now_is_not_touched(make_platform):
    platform = make_platform()
    platform.up()
    platform.cli("down")
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        last = platform.state
        last.phase = "running"
        last.processes[0].pid = stranger.pid
        last.processes[0].created = state.created_at(stranger.pid) - 3600
        state.write(platform.home, last)
        lifecycle.end_leftovers(platform.home)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_status_lists_each_process_with_pid_and_port(make_platform):
    platform = make_platform()
    platform.up()
    shown = platform.cli("status")
    assert shown.returncode == 0
    for one in platform.state.processes:
        if one.pid:
            assert f"{one.pid}" in shown.stdout
    assert str(platform.home.port("gateway")) in shown.stdout
    assert platform.cli("logs", "nobody").returncode == 1


def test_reset_forgets_the_home_and_refuses_a_folder_that_is_none(make_platform, tmp_path):
    platform = make_platform()
    platform.up()
    assert platform.cli("reset").returncode == 0
    assert not platform.home.root.exists()
    platform.home.root.mkdir()
    (platform.home.root / "thesis.txt").write_text("years of work")
    refused = platform.cli("reset")
    assert refused.returncode == 1
    assert (platform.home.root / "thesis.txt").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_ordinary_user_has_a_platform_and_ends_it(make_platform, nobody):
    platform = make_platform("engines")
    os.chown(platform.home.root, nobody.uid, nobody.gid)
    settings = {
        "SEBALAI_HOME": str(platform.home.root),
        "SEBALAI_PORT": str(platform.home.base_port),
    }
    started = nobody.run(str(FAKE), "engines", "up", **settings)
    assert started.returncode == 0, started.stderr
    for one in platform.state.processes:
        if one.pid:
            assert state.find(one.pid, one.created).uids().effective == nobody.uid
    killed = platform.kill("postgres")
    platform.wait(lambda: platform.of("postgres").pid not in (None, killed))
    stopped = nobody.run("-m", "sebalai_local", "down", **settings)
    assert stopped.returncode == 0, stopped.stderr
    assert "6 ports are free again" in stopped.stdout
