"""Pieces of the supervisor and the command line that need no running platform."""

from dataclasses import replace

import pytest
from sebalai_local import home as homes
from sebalai_local import processes, secrets, supervisor
from sebalai_local.cli import run
from sebalai_local.home import Home
from sebalai_local.province import full, seed
from sebalai_local.supervisor import Supervisor
from sebalai_local.units import StopRank


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home", 9130)
    made.make()
    return made


def test_large_log_is_kept_once_and_begins_anew(home, monkeypatch):
    monkeypatch.setattr(supervisor, "LOG_BYTES_LIMIT", 100)
    log = home.logs / "gateway.log"
    with log.open("ab") as writer:
        writer.write(b"x" * 200)
        writer.flush()
        Supervisor(home, ())._rotate_logs()
        writer.write(b"new\n")
    assert log.read_bytes() == b"new\n"
    assert (home.logs / "gateway.log.1").read_bytes() == b"x" * 200


def test_every_need_is_a_unit_and_every_port_is_used_once(home):
    units = processes.units(home)
    names = [unit.name for unit in units]
    assert len(names) == len(set(names)) > 20
    assert {need for unit in units for need in unit.needs} <= set(names)
    everything = processes.units(replace(home, has_govstack=True))
    ports = [port for unit in everything for port in unit.ports]
    assert sorted(ports) == sorted(home.base_port + offset for offset in homes.OFFSETS.values())


def test_stop_order_is_askers_before_answerers(home):
    rank = {unit.name: unit.stop_rank for unit in processes.units(home)}
    order = ["portal", "gateway", "exchange-worker", "exchange", "nats", "postgres"]
    assert [rank[name] for name in order] == sorted(StopRank)


def test_no_secret_stands_in_an_environment(home):
    secrets.ensure(home)
    files = (path for path in home.secrets.iterdir() if path.suffix != ".json")
    values = [path.read_text().strip() for path in files]
    assert len(values) == 18
    for member in processes.MEMBERS:
        told = " ".join(processes.member_environment(home, member.name).values())
        assert not any(value in told for value in values)


def test_seed_grants_nothing_to_the_stranger_and_names_only_what_it_registers():
    content = seed()
    applications = {one.short for one in content.applications}
    interfaces = {f"{one.provider}/{one.name}" for one in content.interfaces}
    assert {one.consumer for one in content.agreements} <= applications
    assert {one.interface for one in content.agreements} <= interfaces
    assert content.example.stranger in applications
    assert content.example.stranger not in {one.consumer for one in content.agreements}
    assert full("dinkes/puskesmas") == "ID-BB/GOV/dinkes/puskesmas"


@pytest.mark.parametrize("port", ["eighty", "80", "65530", "-1", "8800.5"])
def test_bad_base_port_is_refused_with_what_to_set(monkeypatch, capsys, tmp_path, port):
    monkeypatch.setenv("SEBALAI_HOME", str(tmp_path))
    monkeypatch.setenv("SEBALAI_PORT", port)
    assert run(["status"]) == 1
    assert "Set a base port between 1024 and" in capsys.readouterr().err


def test_a_home_of_default_place_is_dot_run_in_the_project(monkeypatch):
    monkeypatch.delenv("SEBALAI_HOME", raising=False)
    monkeypatch.delenv("SEBALAI_PORT", raising=False)
    found = homes.from_environment()
    assert (found.root, found.base_port) == (homes.project_root() / ".run", 8800)
    assert (homes.project_root() / "deploy").is_dir()
