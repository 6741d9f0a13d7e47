"""The routing table: who may call what, for which purpose, decided from memory. Deny by default.

Built from a whole snapshot and then changed by what is newer, each change at once: nothing here
waits, so no call sees half of one. The deciding rule is named in the receipt of an allowed call;
a refusal says precisely what is missing and who can give it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import intern
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from sebalai_gateway.admission.token import Claims
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing import denials
from sebalai_gateway.routing.globs import check_glob
from sebalai_gateway.routing.grant import NOTHING, Buckets, Grant, Presented
from sebalai_gateway.routing.paths import Target
from sebalai_gateway.routing.snapshot import Agreement, Interface, Peer, Purpose, Snapshot, decode

__all__ = ["Decision", "Presented", "Table"]


class Decision(msgspec.Struct, frozen=True):
    """Why a call is allowed, by the table of which version, until when if that does not change."""

    interface: Interface
    agreement: Agreement
    rule: str
    purpose: Purpose
    peer: Peer | None
    version: int
    ends: float


class NotFromHere(ValueError):
    """A change builds on a later version than this table has."""


class Table:
    def __init__(self, snapshot: Snapshot, before: Table | None = None) -> None:
        self.version, self._instance = snapshot.version, snapshot.instance
        self._peers: dict[str, Peer] = {}
        self._interfaces: dict[str, Interface] = {}
        self._agencies: set[str] = set()
        self._agreements: dict[str, Agreement] = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        self._of_group: dict[str, set[str]] = {}
        self._grants: dict[tuple[str, str], tuple[Grant, ...]] = {}
        self._buckets: Buckets = before._buckets if before else {}  # noqa: SLF001
        self._shared: dict[Any, Any] = {}
        self._take(snapshot)

    @classmethod
    def build(cls, payload: bytes, before: Table | None = None) -> Table:
        """Raises: ValueError, when the payload is not a snapshot."""
        return cls(_checked(decode(payload)), before)

    def apply(self, payload: bytes) -> None:
        """Takes a change. Nothing is changed when it raises.

        Raises:
            NotFromHere: versions between this table's and the change's beginning are unknown.
            ValueError: the payload is not a snapshot.
        """
        change = _checked(decode(payload))
        if change.after > self.version:
            msg = f"the change builds on version {change.after}"
            raise NotFromHere(msg)
        self._take(change)
        self.version = change.version

    def _take(self, snapshot: Snapshot) -> None:
        gone = snapshot.gone
        for name in gone.interfaces:
            self._interfaces.pop(name, None)
        for interface in snapshot.interfaces:
            if interface.state == "active":
                self._interfaces[interface.name] = interface
            else:
                self._interfaces.pop(interface.name, None)
        if gone.interfaces or snapshot.interfaces:
            self._agencies = {interface.agency for interface in self._interfaces.values()}
        for instance in gone.peers:
            self._peers.pop(instance, None)
        self._peers.update({peer.instance: peer for peer in snapshot.peers})
        for number in gone.agreements:
            self._drop(number)
        self._take_groups(snapshot)
        for agreement in snapshot.agreements:
            self._drop(agreement.id)
            self._put(agreement)

    def _take_groups(self, snapshot: Snapshot) -> None:
        """New members are served, and those who left are not, under what the group has agreed."""
        for group in snapshot.groups:
            served = [self._agreements[number] for number in self._of_group.get(group.name, ())]
            for agreement in served:
                self._drop(agreement.id)
            self._groups[group.name] = tuple(group.members)
            for agreement in served:
                self._put(agreement)

    def _put(self, agreement: Agreement) -> None:
        self._share(agreement)
        self._agreements[agreement.id] = agreement
        if _is_group(agreement.consumer):
            self._of_group.setdefault(agreement.consumer, set()).add(agreement.id)
        for consumer in self._consumers(agreement):
            grant = Grant(agreement, consumer, self._buckets)
            self._grants[grant.key] = (*self._grants.get(grant.key, ()), grant)

    def _drop(self, number: str) -> None:
        agreement = self._agreements.pop(number, None)
        if agreement is None:
            return
        self._of_group.get(agreement.consumer, set[str]()).discard(number)
        for consumer in self._consumers(agreement):
            key = consumer, agreement.interface
            left = tuple(g for g in self._grants.get(key, ()) if g.agreement.id != number)
            if left:
                self._grants[key] = left
            else:
                self._grants.pop(key, None)

    def _consumers(self, agreement: Agreement) -> Iterable[str]:
        """The applications an agreement serves; nobody is in a group that is not told of."""
        if _is_group(agreement.consumer):
            return self._groups.get(agreement.consumer, ())
        return (agreement.consumer,)

    def _share(self, agreement: Agreement) -> None:
        """Agreements say the same things again and again: kept once, they fit in a worker."""
        for name in ("consumer", "interface"):
            force_setattr(agreement, name, intern(getattr(agreement, name)))
        if agreement.series == agreement.id:
            force_setattr(agreement, "series", agreement.id)
        for name in ("rules", "purposes", "valid_from", "valid_until"):
            value = getattr(agreement, name)
            force_setattr(agreement, name, self._shared.setdefault(value, value))

    @property
    def interfaces(self) -> Iterable[Interface]:
        return self._interfaces.values()

    def decide(
        self,
        claims: Claims,
        target: Target,
        method: str,
        purpose: str | None,
        now: float,
        presented: Presented = NOTHING,
    ) -> Decision:
        """The decision for one call.

        Raises:
            Refusal: 404 for what does not exist, 403 with the missing rule, 429 over the rate.
        """
        interface, peer, grants = self._found(claims, target)
        refusals: list[Refusal] = []
        for grant in grants:
            compiled = grant.compiled()
            if grant.agreement.id in presented.used_up:
                refusals.append(presented.used_up[grant.agreement.id])
                continue
            try:
                rule, agreed = compiled.allow(target.path, method, purpose, now)
                compiled.check_bindings(claims, presented)
                compiled.take(now)
            except Refusal as refusal:
                refusals.append(refusal)
                continue
            ends = compiled.ends
            return Decision(interface, grant.agreement, rule, agreed, peer, self.version, ends)
        raise max(refusals, key=denials.telling)

    def confirm(
        self,
        decision: Decision,
        claims: Claims,
        target: Target,
        method: str,
        now: float,
        presented: Presented = NOTHING,
    ) -> Agreement:
        """That what an earlier table decided holds by this one, under the same agreement or its
        present version, which is answered. Nothing is counted anew.

        Raises:
            Refusal: as `decide`.
        """
        interface, _, grants = self._found(claims, target)
        series = decision.agreement.series or decision.agreement.id
        for grant in grants:
            if grant.series == series:
                compiled = grant.compiled()
                compiled.allow(target.path, method, decision.purpose.code, now)
                compiled.check_bindings(claims, presented)
                return grant.agreement
        raise denials.agreement_missing(claims.application, interface.name)

    def _found(
        self, claims: Claims, target: Target
    ) -> tuple[Interface, Peer | None, tuple[Grant, ...]]:
        """What is called, the instance it leaves for, and what could allow it. Raises: Refusal."""
        interface = self._interfaces.get(target.interface)
        if interface is None:
            is_known = target.agency in self._agencies
            raise denials.interface_unknown(target) if is_known else denials.agency_unknown(target)
        peer = self._crossed(claims.application, interface.name)
        grants = self._grants.get((claims.application, interface.name))
        if not grants:
            raise denials.agreement_missing(claims.application, interface.name)
        return interface, peer, grants

    def peer(self, instance: str) -> Peer | None:
        """Another instance that is named here."""
        return self._peers.get(instance)

    def _crossed(self, consumer: str, interface: str) -> Peer | None:
        """The instance that a call leaves us for. Raises: Refusal, 403, when that or the one it
        comes from is not named, or this is not offered there.
        """
        here, there = consumer.partition("/")[0], interface.partition("/")[0]
        if here != self._instance:
            guest = self._peers.get(here)
            if guest is None or interface not in guest.offers:
                raise denials.not_offered(here, interface)
        if there == self._instance:
            return None
        peer = self._peers.get(there)
        if peer is None or here != self._instance:
            raise denials.instance_unknown(there)
        return peer


def _is_group(consumer: str) -> bool:
    return "/groups/" in consumer


def _checked(snapshot: Snapshot) -> Snapshot:
    """Compiling waits for the first call, but a glob that cannot be compiled is refused now."""
    for path in set(_paths(snapshot)):
        check_glob(path)
    return snapshot


def _paths(snapshot: Snapshot) -> Iterator[str]:
    for agreement in snapshot.agreements:
        for rule in agreement.rules:
            yield rule.path
