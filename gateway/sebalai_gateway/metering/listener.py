"""Metrics on a port of their own, beside the public one, where `/metrics` stays 404.

One process serves its own values from a thread. Several workers of one port write theirs into files
of a folder that the process which started them reads: it alone listens, and adds up.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@contextlib.contextmanager
def listening(host: str, port: int, registry: CollectorRegistry) -> Generator[None]:
    """Serves `registry` while it lasts; port 0 serves nothing. A taken port is told and costs the
    metrics alone: calls go on.
    """
    try:
        started = start_http_server(port, host, registry) if port else None
    except OSError as error:
        log.warning("metrics are not served on port %s: %s", port, error)
        started = None
    if started is None:
        yield
        return
    server, thread = started
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def own(host: str, port: int, registry: CollectorRegistry) -> Generator[None]:
    """One process and what it needs (memory, descriptors, time)."""
    if port:
        ProcessCollector(registry=registry)
    with listening(host, port, registry):
        yield


@contextlib.contextmanager
def of_workers(host: str, port: int) -> Generator[None]:
    """Has processes that are started inside write where this one reads."""
    if not port:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="sebalai-metrics-") as folder:
        os.environ[FOLDER] = folder
        registry = CollectorRegistry()
        registry.register(_Workers(Path(folder)))
        with listening(host, port, registry):
            yield


class _Workers(Collector):
    """What living workers have now, and what all that ever were have counted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all = MultiProcessCollector(None, path=str(folder))

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        for pid in {int(file.stem.rsplit("_", 1)[1]) for file in self._folder.glob("*.db")}:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                mark_process_dead(pid, str(self._folder))
        yield from self._all.collect()
