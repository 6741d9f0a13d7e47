"""The compose file without an engine: it is whole, publishes one port, hardens every service.

Run by tests/compose/run.sh, which brings the `docker-compose` binary; the file is kept out of
`make test` by its own conftest, because that binary is in no lock.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPOSE = os.environ.get("COMPOSE", "docker-compose")
ONE_SHOT = {"migrate", "register", "publish", "seed"}
OPEN_NETWORKS = {"edge"}


def _compose(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | env
    command = [COMPOSE, "--env-file", os.devnull, "--profile", "demo", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture(scope="module")
def services() -> dict:
    done = _compose("config", "--format", "json", SEBALAI_SECRETS="/nonexistent/secrets")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["services"]


@pytest.mark.parametrize("files", [[], ["-f", "tests/compose/compose.test.yaml"]])
def test_every_combination_is_whole(files):
    base = ["-f", "docker-compose.yml"] if files else []
    done = _compose(*base, *files, "config", "-q", SEBALAI_SECRETS="/nonexistent/secrets")
    assert (done.returncode, done.stderr) == (0, "")


def test_missing_secrets_name_the_folder_and_the_command():
    done = _compose("config", "-q")
    assert done.returncode == 1
    assert "deploy/docker/secrets" in done.stderr
    assert "deploy/docker/init-secrets" in done.stderr


def test_only_the_gateway_is_published(services):
    published = {name for name, service in services.items() if service.get("ports")}
    assert published == {"gateway"}
    assert services["gateway"]["ports"][0]["host_ip"] == "127.0.0.1"


def test_every_service_is_hardened_and_limited(services):
    assert len(services) >= 13
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].split(":")[0] != "0", name
        assert not service.get("privileged"), name
        assert service["logging"]["options"]["max-size"], name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= set(limits), name
        assert "docker.sock" not in json.dumps(service.get("volumes", [])), name


def test_every_lasting_service_restarts_and_has_a_health_check(services):
    for name, service in services.items():
        if name in ONE_SHOT:
            assert service["restart"] == "no", name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_no_secret_stands_in_an_environment(services):
    for name, service in services.items():
        for key, value in (service.get("environment") or {}).items():
            secret = any(word in key for word in ("PASSWORD", "TOKEN", "_KEY"))
            assert not secret or str(value).startswith("/run/secrets/"), f"{name} {key}"


def test_the_portal_cannot_reach_postgres_and_inner_networks_have_no_way_out(services):
    assert not set(services["portal"]["networks"]) & set(services["postgres"]["networks"])
    done = _compose("config", "--format", "json", SEBALAI_SECRETS="/nonexistent/secrets")
    for name, network in json.loads(done.stdout)["networks"].items():
        assert name in OPEN_NETWORKS or network["internal"], name


def test_members_wait_for_the_migration_to_complete(services):
    for name in ("identity", "services-catalog", "archive", "exchange", "gateway"):
        waits = services[name]["depends_on"]["migrate"]["condition"]
        assert waits == "service_completed_successfully", name


def test_second_init_of_secrets_refuses_and_changes_nothing(tmp_path):
    (tmp_path / "caller_key").write_text("in use", encoding="utf-8")
    env = os.environ | {
        "SEBALAI_SECRETS": str(tmp_path), "SEBALAI_ENV_FILE": str(tmp_path / "env")
    }  # fmt: skip
    done = subprocess.run(
        [ROOT / "deploy/docker/init-secrets"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["caller_key"]
    assert (tmp_path / "caller_key").read_text(encoding="utf-8") == "in use"
