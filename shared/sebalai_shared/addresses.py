"""Which network addresses an outbound call may reach; the guard against SSRF and DNS rebinding.

Checked at every connect on the resolved address, for literal addresses too. `ipaddress.is_global`
alone is not enough: it calls NAT64, 6to4 and multicast global, so embedded IPv4 is unpacked first.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = ipaddress.ip_address("169.254.169.254")


class AddressRefused(Exception):
    """The target stands where we may not call."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Public addresses, and those private hosts or networks that the operator named.

    A host name in `hosts` may resolve to a private or loopback address; a network in `networks`
    covers literal and resolved addresses. Link-local and multicast stay closed either way.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Reach:
        """Entries are CIDR blocks, addresses or host names."""
        hosts: set[str] = set()
        networks: list[Network] = []
        for entry in (entry.strip().lower() for entry in entries):
            if not entry:
                continue
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                hosts.add(entry)
        return cls(frozenset(hosts), tuple(networks))

    def check(self, host: str, address: str) -> None:
        """Raises: AddressRefused, with the reason but without what the address revealed."""
        found = _embedded(ipaddress.ip_address(address.split("%", maxsplit=1)[0]))
        if found.is_multicast or found.is_link_local or found.is_unspecified or found == _METADATA:
            raise AddressRefused(f"{host} stands on an address that is never called")
        if found.is_global and not found.is_reserved:
            return
        if host.lower() in self.hosts or any(_within(found, net) for net in self.networks):
            return
        raise AddressRefused(f"{host} stands on an internal address that no operator has named")


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _embedded(address: Address) -> Address:
    """The IPv4 address inside a mapped, 6to4, Teredo or NAT64 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.teredo is not None:
        return address.teredo[1]
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address
