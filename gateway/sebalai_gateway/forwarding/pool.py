"""Connections to providers, kept open between exchanges; bounded, swept, each address checked.

Does not own what is said on them (`connection`, `framing`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec
from sebalai_shared.addresses import AddressRefused, Reach

from sebalai_gateway.forwarding.connection import READ_BUFFER_BYTES, Connection
from sebalai_gateway.forwarding.faults import ProviderTimeout, ProviderUnreachable
from sebalai_gateway.forwarding.tls import HANDSHAKE, SYSTEM, Identity, context_of, refused

CONNECTIONS_LIMIT = 4_096
# In use or not: what a burst has opened is there for the next one, until it is stale.
CONNECTIONS_A_HOST = 512
ORIGINS_KNOWN = 10_000
SWEEP_EACH_SECONDS = 0.1
# A call that may not be sent twice does not go where the other side may be closing just now.
UNSAFE_IDLE_SECONDS = 3.0
_PORTS = {"http": 80, "https": 443}


class Origin(msgspec.Struct, frozen=True):
    """Where connections lead; `authority` is what the Host header says."""

    scheme: str
    host: str
    port: int
    authority: bytes


@lru_cache(ORIGINS_KNOWN)
def origin_of(base: str) -> Origin:
    """Of `http://host[:port]`. Raises: ProviderUnreachable."""
    try:
        parts = urlsplit(base)
        port = parts.port or _PORTS[parts.scheme]
    except (KeyError, ValueError):
        raise ProviderUnreachable("the address cannot be read", is_unsent=True) from None
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host
    if not host or parts.username is not None or not name.isascii():
        raise ProviderUnreachable("the address cannot be read", is_unsent=True)
    is_usual = port == _PORTS[parts.scheme]
    return Origin(parts.scheme, host, port, (name if is_usual else f"{name}:{port}").encode())


class Peer(msgspec.Struct, frozen=True):
    """Where connections lead, whom they trust there and as whom they appear: what they are kept
    apart by.
    """

    origin: Origin
    identity: Identity = SYSTEM


# A connection that was given back, or None: there is room to make one.
_Turn = asyncio.Future[Connection | None]


@dataclass(slots=True)
class _Host:
    """One peer's connections: those that wait for work (latest last), and who waits for one.
    `asked` by so many who have none yet; it is not forgotten before they have.
    """

    idle: list[Connection] = field(default_factory=list[Connection])
    busy: set[Connection] = field(default_factory=set[Connection])
    connecting: int = 0
    asked: int = 0
    waiters: deque[_Turn] = field(default_factory=deque[_Turn])

    @property
    def count(self) -> int:
        return len(self.idle) + len(self.busy) + self.connecting

    def take_back(self, connection: Connection) -> None:
        """Ends its exchange; it is kept when it is as good as new."""
        self.busy.discard(connection)
        if connection.finish():
            _offer(self, connection)
        else:
            _let_in(self)

    def lost(self, connection: Connection) -> None:
        with contextlib.suppress(ValueError):
            self.idle.remove(connection)
        _let_in(self)


class Pool:
    """One a process and reach; `close` at the end."""

    def __init__(self, reach: Reach) -> None:
        self._reach, self.resolve = reach, lookup
        self._hosts: dict[Peer, _Host] = {}
        self._tls: ssl.SSLContext | None = None
        self._sweep: asyncio.TimerHandle | None = None

    @property
    def counts(self) -> tuple[int, int]:
        """Busy and idle connections."""
        hosts = self._hosts.values()
        return sum(len(h.busy) + h.connecting for h in hosts), sum(len(h.idle) for h in hosts)

    def at_hand(self, peer: Peer, *, is_safe: bool) -> Connection | None:
        """As `take`, where one lies ready."""
        host = self._hosts.get(peer)
        found = None if host is None else _idle(host, is_safe=is_safe)
        if host is not None and found is not None:
            host.busy.add(found)
        return found

    async def take(self, peer: Peer, seconds: float, *, is_safe: bool) -> Connection:
        """A connection nobody else has; it is to be given back (`give_back`) in every case.

        Raises: ProviderUnreachable, ProviderTimeout; both with `is_unsent`.
        """
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(SWEEP_EACH_SECONDS, self._swept)
        host = self._hosts.get(peer)
        if host is None:
            host = self._hosts[peer] = _Host()
        found = self.at_hand(peer, is_safe=is_safe)
        if found is not None:
            return found
        host.asked += 1
        try:
            async with asyncio.timeout(seconds):
                found = await self._fresh(peer, host)
        except TimeoutError:
            raise ProviderTimeout(is_unsent=True) from None
        except (OSError, AddressRefused) as error:
            if peer.origin.scheme == "https" and isinstance(error, HANDSHAKE):
                raise refused(error) from error
            raise ProviderUnreachable(str(error), is_unsent=True) from error
        finally:
            host.asked -= 1
        host.busy.add(found)
        return found

    async def close(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        for host in self._hosts.values():
            for connection in [*host.idle, *host.busy]:
                connection.abort()
        self._hosts.clear()
        await asyncio.sleep(0)

    async def _fresh(self, peer: Peer, host: _Host) -> Connection:
        has_waited = False
        while host.count >= CONNECTIONS_A_HOST:
            if host.idle:
                host.idle.pop(0).abort()  # too old for this call, as the others before it
                continue
            found = await _turn(host, is_next=has_waited)
            if found is not None:
                return found
            has_waited = True
        self._make_room()
        host.connecting += 1
        is_made = False
        try:
            made = await self._connect(peer, host)
            is_made = True
        finally:
            host.connecting -= 1
            if not is_made:
                _let_in(host)
        return made

    def _make_room(self) -> None:
        """The connection that waited longest gives way. Raises: ProviderUnreachable."""
        if sum(host.count for host in self._hosts.values()) < CONNECTIONS_LIMIT:
            return
        waiting = [host for host in self._hosts.values() if host.idle]
        if not waiting:
            raise ProviderUnreachable("no more connections", is_unsent=True)
        min(waiting, key=lambda host: host.idle[0].touched).idle.pop(0).abort()

    async def _connect(self, peer: Peer, host: _Host) -> Connection:
        """Raises: OSError (ssl.SSLError is one), AddressRefused, TimeoutError."""
        loop, origin = asyncio.get_running_loop(), peer.origin
        context = self._context(peer.identity) if origin.scheme == "https" else None
        failure: Exception = OSError("the name has no address")
        for address in await self._addresses(origin):
            try:
                transport, made = await loop.create_connection(
                    lambda: Connection(host),
                    address,
                    origin.port,
                    ssl=context,
                    # What the certificate must name, and what SNI says, whatever it resolved to.
                    server_hostname=origin.host if context else None,
                )
            except OSError as error:
                failure = error
                continue
            transport.set_write_buffer_limits(high=READ_BUFFER_BYTES)
            return made
        raise failure

    async def _addresses(self, origin: Origin) -> list[str]:
        """What the name stands for, each of them checked; a literal address stands for itself.

        Raises: AddressRefused, OSError.
        """
        try:
            found = [str(ipaddress.ip_address(origin.host))]
        except ValueError:
            found = await self.resolve(origin.host, origin.port)
        for address in found:
            self._reach.check(origin.host, address)
        return found

    def _context(self, identity: Identity) -> ssl.SSLContext:
        if identity.context is not None:
            return identity.context
        if self._tls is None:
            self._tls = context_of("")
        return self._tls

    def _swept(self) -> None:
        """Gives up exchanges that are late, and connections that waited long enough."""
        now = time.monotonic()
        for host in self._hosts.values():
            for connection in [one for one in host.busy if one.is_late(now)]:
                connection.give_up()
            while host.idle and host.idle[0].is_stale(now):
                host.idle.pop(0).abort()
        self._hosts = {p: h for p, h in self._hosts.items() if h.count or h.asked}
        loop = asyncio.get_running_loop()
        self._sweep = loop.call_later(SWEEP_EACH_SECONDS, self._swept) if self._hosts else None


async def lookup(host: str, port: int) -> list[str]:
    """The addresses a name stands for at this moment; kept by nobody here. Raises: OSError."""
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


def _idle(host: _Host, *, is_safe: bool) -> Connection | None:
    """The one used last, because it is the least likely to be closed by the other side."""
    now = time.monotonic()
    while host.idle:
        found = host.idle[-1]
        if found.is_open and not found.is_stale(now):
            is_too_old = not is_safe and now - found.touched > UNSAFE_IDLE_SECONDS
            return None if is_too_old else host.idle.pop()
        host.idle.pop().abort()
    return None


async def _turn(host: _Host, *, is_next: bool) -> Connection | None:
    """Waits, behind all who wait already or before them. A connection, or None: there may be room
    to make one.
    """
    turn: _Turn = asyncio.get_running_loop().create_future()
    (host.waiters.appendleft if is_next else host.waiters.append)(turn)
    try:
        found = await turn
    except asyncio.CancelledError:
        if turn.done() and not turn.cancelled():
            _pass_on(host, turn.result())  # told at the very moment it gave up
        raise
    if found is None or found.is_open:
        return found
    host.busy.discard(found)
    return None


def _pass_on(host: _Host, connection: Connection | None) -> None:
    if connection is None:
        _let_in(host)
        return
    host.busy.discard(connection)
    _offer(host, connection)


def _offer(host: _Host, connection: Connection) -> None:
    """To who has waited longest, and to nobody who comes meanwhile; else it is kept."""
    if _tell(host, connection):
        host.busy.add(connection)
    else:
        host.idle.append(connection)


def _let_in(host: _Host) -> None:
    _tell(host, None)


def _tell(host: _Host, connection: Connection | None) -> bool:
    """Whether somebody waits who has not given up."""
    while host.waiters:
        turn = host.waiters.popleft()
        if not turn.done():
            turn.set_result(connection)
            return True
    return False
