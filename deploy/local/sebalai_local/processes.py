"""The platform as data: which processes, with which settings, needing which others.

The contract is `docs/guide/wiring.md`, sections 1 and 2. How they are run is the supervisor's.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sebalai_local import secrets
from sebalai_local.engines import databases
from sebalai_local.engines.nats import Nats
from sebalai_local.engines.postgres import Postgres
from sebalai_local.home import INSTANCE, MTLS_URL, Home, project_root
from sebalai_local.launching import Program
from sebalai_local.province import seed
from sebalai_local.units import StopRank, Unit, answers_http, beats

REGISTRY = Path("tests/systems/population_registry/app.py")


@dataclass(frozen=True, slots=True)
class Member:
    """`name` is its database and its audience; `has_worker` whether it has timed work."""

    name: str
    package: str
    stop_rank: StopRank = StopRank.SERVICE
    has_worker: bool = True
    has_dispatcher: bool = False
    has_database: bool = True
    needs: tuple[str, ...] = ()
    more_ports: tuple[str, ...] = ()


MEMBERS = (
    Member("identity", "sebalai_identity"),
    Member("exchange", "sebalai_exchange", has_dispatcher=True),
    Member(
        "gateway", "sebalai_gateway", stop_rank=StopRank.GATEWAY, more_ports=("gateway-metrics",)
    ),
    Member("catalog", "sebalai_services_catalog", needs=("applications",)),
    Member("archive", "sebalai_archive"),
    Member(
        "portal",
        "sebalai_portal",
        stop_rank=StopRank.FIRST,
        has_worker=False,
        has_database=False,
        needs=("applications",),
    ),
)


def units(home: Home) -> tuple[Unit, ...]:
    """Every unit of the platform in `home`."""
    found = [*_engines(home)]
    for member in MEMBERS:
        found += _member(home, member)
    if home.has_govstack:
        found.append(govstack(home))
    found += _demonstration(home)
    return tuple(found)


def _postgres(home: Home) -> Postgres:
    password = secrets.read(secrets.password_file(home, "postgres"))
    return Postgres(home.root, home.port("postgres"), password)


def _nats(home: Home) -> Nats:
    passwords = {name: secrets.read(secrets.nats_file(home, name)) for name in databases.NAMES}
    issuer = secrets.read(home.secrets / "nats-issuer")
    ports = home.port("nats"), home.port("nats-monitor")
    leaf_port = home.port("nats-leaf")
    return Nats(home.root, *ports, passwords, issuer=issuer, leaf_port=leaf_port)


def _engines(home: Home) -> list[Unit]:
    def make_databases() -> None:
        names = databases.NAMES
        passwords = {name: secrets.read(secrets.password_file(home, name)) for name in names}
        asyncio.run(databases.ensure(_postgres(home).admin_url, passwords))

    return [
        Unit(
            "nats",
            program=lambda: _nats(home).prepare(),
            ports=(home.port("nats"), home.port("nats-monitor"), home.port("nats-leaf")),
            is_ready=lambda _: _nats(home).is_ready(),
            stop_rank=StopRank.BROKER,
        ),
        Unit(
            "postgres",
            program=lambda: _postgres(home).prepare(),
            ports=(home.port("postgres"),),
            is_ready=lambda _: _postgres(home).is_ready(),
            stop_rank=StopRank.DATABASE,
            stop_signal=signal.SIGINT,  # fast: clients are cut off, the data is written out
        ),
        Unit("databases", action=make_databases, needs=("postgres",)),
    ]


def _python(*arguments: str, environment: Mapping[str, str]) -> Program:
    # -u would cost every log line a write; the log of a killed process is worth it.
    return Program(
        [sys.executable, "-u", *arguments], environment=environment, folder=project_root()
    )


def _member(home: Home, member: Member) -> list[Unit]:
    environment = _environment(home, member)
    prepared: tuple[str, ...] = ()
    found: list[Unit] = []

    def runs(command: str, more: Mapping[str, str] | None = None) -> Program:
        return _python("-m", member.package, command, environment={**environment, **(more or {})})

    if member.has_database:
        prepared = (f"{member.name}-prepare",)
        program = partial(runs, "prepare")
        found.append(Unit(prepared[0], program=program, needs=("databases",), is_step=True))
    port = home.port(member.name)
    found.append(
        Unit(
            member.name,
            program=lambda: runs("api", {"SEBALAI_PORT": str(port)}),
            needs=(*prepared, *member.needs),
            ports=(port, *(home.port(name) for name in member.more_ports)),
            is_ready=answers_http(port),
            stop_rank=member.stop_rank,
        )
    )
    if member.has_worker:
        found.append(_beating(home, f"{member.name}-worker", runs, ("worker", (*prepared, "nats"))))
    if member.has_dispatcher:
        found.append(_beating(home, f"{member.name}-dispatcher", runs, ("dispatch", prepared)))
    return found


def govstack(home: Home) -> Unit:
    """The gateway once more, on a port of its own, for programs written to GovStack's texts."""
    port = home.port("govstack")
    more = {"SEBALAI_PORT": str(port), "SEBALAI_METRICS_PORT": "0"}
    return Unit(
        "govstack",
        program=lambda: _python(
            "-m", "sebalai_gateway", "govstack",
            environment={**member_environment(home, "gateway"), **more},
        ),
        needs=("gateway-prepare",),
        ports=(port,),
        is_ready=answers_http(port),
        stop_rank=StopRank.GATEWAY,
    )  # fmt: skip


def _beating(
    home: Home,
    name: str,
    runs: Callable[[str, Mapping[str, str]], Program],
    does: tuple[str, tuple[str, ...]],
) -> Unit:
    """A process without a port, which shows that it lives by its heartbeat file."""
    command, needs = does
    beat = home.root / "heartbeats" / name
    return Unit(
        name,
        program=lambda: runs(command, {"SEBALAI_HEARTBEAT_FILE": str(beat)}),
        needs=needs,
        is_ready=beats(beat),
        stop_rank=StopRank.WORKER,
    )


def _demonstration(home: Home) -> list[Unit]:
    ours = home.environment
    registry_port = home.port("population-registry")
    return [
        Unit(
            "population-registry",
            program=lambda: _python(
                str(project_root() / REGISTRY), environment={"PORT": str(registry_port)}
            ),
            ports=(registry_port,),
            is_ready=answers_http(registry_port, "/openapi.json"),
        ),
        Unit(
            "applications",
            program=lambda: _python(
                "-m",
                "sebalai_local",
                "applications",
                environment=ours,
            ),
            needs=("identity-prepare",),
            is_step=True,
        ),
        Unit(
            "seed",
            program=lambda: _python("-m", "sebalai_local", "seed", environment=ours),
            needs=(
                "applications",
                *(member.name for member in MEMBERS),
                "exchange-worker",
                "population-registry",
            ),
            is_step=True,
        ),
    ]


def member_environment(home: Home, name: str) -> dict[str, str]:
    """What the member `name` is told, for running one of its commands by hand."""
    return _environment(home, next(member for member in MEMBERS if member.name == name))


def _environment(home: Home, member: Member) -> dict[str, str]:
    told = {
        "HOST": "127.0.0.1",
        "LOG_LEVEL": "INFO",
        "PUBLIC_URL": home.gateway_url,
        "INSTANCE": INSTANCE,
        "CALLER_KEYS_FILE": str(home.secrets / "caller-keys.json"),
        "REFERENCE_DIR": str(project_root() / "deploy" / "reference"),
    }
    if member.has_database:
        place = f"127.0.0.1:{home.port('postgres')}"
        told |= {
            "DATABASE_URL": f"postgresql://{member.name}@{place}/{member.name}",
            "DATABASE_PASSWORD_FILE": str(secrets.password_file(home, member.name)),
            "NATS_URL": f"nats://{member.name}@127.0.0.1:{home.port('nats')}",
            "NATS_TOKEN_FILE": str(secrets.nats_file(home, member.name)),
        }
    told |= _own_settings(home).get(member.name, {})
    return {f"SEBALAI_{name}": value for name, value in told.items()}


def _own_settings(home: Home) -> dict[str, dict[str, str]]:
    return {
        "gateway": {
            "CALLER_KEY_FILE": str(home.secrets / "caller-key.jwk"),
            "ROUTES_KEYS_FILE": str(home.secrets / "routes-keys.json"),
            "PROXY_SECRET_FILE": str(home.secrets / "proxy-secret"),
            "MTLS_URL": MTLS_URL,
            "SNAPSHOT_DIR": str(home.root / "snapshots"),
            "METRICS_PORT": str(home.port("gateway-metrics")),
            "CREDENTIALS_DIR": str(home.root / "credentials"),
            "IDENTITY_URL": home.url("identity"),
            "CATALOG_URL": home.url("catalog"),
            "ARCHIVE_URL": home.url("archive"),
            "EXCHANGE_URL": home.url("exchange"),
            "PORTAL_URL": home.url("portal"),
            # Every provider of an embedded platform stands on this machine.
            "PRIVATE_PROVIDERS": "127.0.0.1",
        },
        "identity": {
            "SEALING_KEY_FILE": str(home.secrets / "identity-sealing-key"),
            "MTLS_URL": MTLS_URL,
        },
        "exchange": {
            "ROUTES_KEY_FILE": str(home.secrets / "routes-key.jwk"),
            "LEDGER_KEY_FILE": str(home.secrets / "ledger-key"),
            "LEDGER_ORIGIN": secrets.LEDGER_ORIGIN,
            "LEDGER_HEADS_DIR": str(home.root / "ledger-heads"),
            "NATS_ISSUER_KEY_FILE": str(secrets.issuer_key_file(home)),
            "EVENT_TYPES_DIR": str(project_root() / "docs" / "contracts" / "events"),
            # Webhooks of an embedded platform stand on this machine too.
            "PRIVATE_WEBHOOKS": "127.0.0.1",
        },
        "archive": {
            "CONTENT_DIR": str(home.root / "content"),
            "CONTENT_KEYS_FILE": str(home.secrets / "archive-content-keys.json"),
            "SIGNING_TRIAL_DIR": str(home.secrets / "signing"),
        },
        "catalog": _application(home, "dpmptsp/perizinan"),
        "portal": _application(home, "diskominfo/portal"),
    }


def _application(home: Home, short: str) -> dict[str, str]:
    """What a member that calls the bus is told of its own application; nothing if not seeded."""
    if short not in {one.short for one in seed().applications}:
        return {}
    name = short.replace("/", ".")
    return {
        "GATEWAY_URL": home.gateway_url,
        "CLIENT_ID_FILE": str(home.keys / f"{name}.client_id"),
        "CLIENT_KEY_FILE": str(home.keys / f"{name}.jwk"),
    }
