"""What can go wrong on a machine whatever runs there: room, clock, certificates. Each answer is one
line for a person: what is wrong, and what to do.
"""

from __future__ import annotations

import ctypes
import shutil
import socket
import ssl
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from sebalai_shared.clock import SystemClock

MEBIBYTE = 1024 * 1024
DISK_FULL_PERCENT = 90
DISK_NEEDED_MEBIBYTES = 1024
DISK_FULL = "make room before PostgreSQL stops, or take another disk (SEBALAI_HOME)."
CERTIFICATE_DAYS = 30
TLS_SECONDS = 5.0
CLOCK_BACK_SECONDS = 5
TIME_ERROR = 5  # adjtimex(2): nothing keeps this clock
TIMEX_BYTES = 512  # more than `struct timex` has


def full(folder: Path, do: str = DISK_FULL) -> list[str]:
    """Whether the disk below `folder` (or its nearest parent there is) runs out; then `do`."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    disk = shutil.disk_usage(existing)
    free, percent = disk.free // MEBIBYTE, 100 * disk.used // disk.total
    if free >= DISK_NEEDED_MEBIBYTES and percent < DISK_FULL_PERCENT:
        return []
    return [f"The disk of {existing} is {percent} % full ({free} MiB free): {do}"]


def unkept_clock() -> list[str]:
    """Whether nothing keeps this machine's clock. Tokens, receipts and time limits go by it."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "adjtimex"):
        return []
    if libc.adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)) != TIME_ERROR:
        return []
    return ["Nothing keeps this machine's clock: install chrony, or turn on systemd-timesyncd."]


def clock_put_back(written: Iterable[Path]) -> list[str]:
    """`written`: files that running processes touch; one of the future tells it."""
    ahead = max((path.stat().st_mtime for path in written if path.exists()), default=0.0)
    ahead -= time.time()
    if ahead < CLOCK_BACK_SECONDS:
        return []
    return [
        f"The clock was put back by {ahead:.0f} s at least: set it, then `sebalai down` and `up`."
    ]


def ending_certificates(files: Iterable[Path]) -> list[str]:
    """The certificates in `files` (PEM; others are passed over) that end in CERTIFICATE_DAYS."""
    found = list[str]()
    for file in files:
        try:
            chain = x509.load_pem_x509_certificates(file.read_bytes())
        except (OSError, ValueError):
            continue
        ends = min(one.not_valid_after_utc for one in chain)
        found += _ending(ends, f"The certificate in {file}", "put a new one in its place.")
    return found


def ending_tls(url: str) -> list[str]:
    """The certificate shown at an https address; nothing for http."""
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname is None:
        return []
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # its end alone is asked for
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), TLS_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as told,
        ):
            shown = x509.load_der_x509_certificate(told.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError) as error:
        return [f"{url} shows no certificate ({error}): look at the proxy before the gateway."]
    return _ending(shown.not_valid_after_utc, f"The certificate of {url}", "renew it.")


def _ending(ends: datetime, whose: str, do: str) -> list[str]:
    left = ends - SystemClock().now()
    if left > timedelta(days=CERTIFICATE_DAYS):
        return []
    when = f"ends in {left.days} days" if left > timedelta() else "has ended"
    return [f"{whose} {when} ({ends:%F}): {do}"]
