"""Who calls, what, and whether it may: from the head alone, out of memory, nothing awaited but a
quota that must be asked for.
"""

from __future__ import annotations

import math
import re
import time
from functools import lru_cache
from typing import NamedTuple

from sebalai_shared.signatures import Message
from sebalai_shared.telemetry import enter_trace

from sebalai_gateway.admission.faults import bad_token, exchanged_for_another
from sebalai_gateway.admission.proofs import Shown
from sebalai_gateway.admission.token import Claims
from sebalai_gateway.calls import headers as head
from sebalai_gateway.calls.consumer import Consumer
from sebalai_gateway.calls.faults import (
    check_method,
    client_mismatch,
    query_invalid,
    represented_elsewhere,
    represented_mismatch,
    routes_unavailable,
    scope_missing,
)
from sebalai_gateway.calls.limits import rate_limits
from sebalai_gateway.calls.parts import Parts
from sebalai_gateway.calls.record import Call
from sebalai_gateway.database import StoreUnavailable
from sebalai_gateway.journal.writer import JournalUnavailable
from sebalai_gateway.peers.guests import Guest, is_guest, recognise
from sebalai_gateway.quotas.leases import QuotaExceeded, Terms
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing import denials
from sebalai_gateway.routing.paths import Target, parse
from sebalai_gateway.routing.table import Decision, Presented, Table
from sebalai_gateway.signatures.faults import missing

QUERY_BYTES_LIMIT = 8 * 1024
BUS_SCOPE = "bus.call"
SCOPES_KNOWN = 1_024
_PLAIN = re.compile(rb"[!-~]*\Z")


class Asked(NamedTuple):
    """What is asked for, by whom; a `guest` came from another instance."""

    incoming: head.Incoming
    claims: Claims
    target: Target
    presented: Presented
    guest: Guest | None
    heard: int  # the revocations that its token was held against
    ends: float  # of its token


class Overtaken(Exception):
    """What was allowed is so no longer; the provider has not heard of it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.slug)
        self.refusal = refusal


class Entrance:
    def __init__(self, parts: Parts) -> None:
        self._verifier, self._table, self._quotas = parts.verifier, parts.table, parts.quotas
        self._revoked, self.pulse = parts.verifier.revoked, parts.pulse

    def ask(self, consumer: Consumer, call: Call) -> Asked:
        """Raises: Refusal."""
        incoming, failure = _read_head(consumer, call)
        if failure is not None:
            self._verifier.note_stranger(consumer.address)
            raise failure
        guest = self._guest(consumer, incoming)
        claims = self._bearer(consumer, incoming) if guest is None else guest.claims
        if claims.kind != "system":
            raise bad_token("token-kind", "Only tokens of applications are taken on the bus.")
        facts = call.facts
        facts["consumer"], facts["client_id"] = claims.application, claims.client_id
        if claims.acting_for is not None:
            # An id of it, not its number: that of a sole trader names a person, and evidence stays.
            facts["acting_for"] = claims.acting_for.business
        if not _reaches_the_bus(claims.scope):
            raise scope_missing(BUS_SCOPE)
        target = _target(consumer, call)
        check_method(call.method)
        _check_said(incoming, claims, target)
        heard, ends = self._revoked.changes, claims.exp if guest is None else math.inf
        return Asked(incoming, claims, target, _presented(consumer), guest, heard, ends)

    def decide(self, call: Call, asked: Asked) -> Decision:
        """Raises: Refusal."""
        table = self._table()
        if table is None:
            raise routes_unavailable()
        purpose = asked.incoming.purpose
        decision = table.decide(
            asked.claims, asked.target, call.method, purpose, call.began / 1e9, asked.presented
        )
        facts, interface = call.facts, decision.interface
        facts["interface"], facts["provider"] = interface.name, interface.provider
        facts["contract_sha256"] = interface.contract_sha256
        facts["agreement"], facts["rule"] = decision.agreement.id, decision.rule
        facts["purpose"] = decision.purpose.code
        facts["legal_basis"] = decision.purpose.legal_basis
        is_party_of_elsewhere = asked.guest is not None and asked.claims.acting_for is not None
        if is_party_of_elsewhere and interface.member is not None:
            raise represented_elsewhere()
        return decision

    def confirm(self, call: Call, asked: Asked, decision: Decision) -> None:
        """Asked once more as the last thing before it is forwarded: a call may have waited for its
        body, for room, for the journal, for a connection. Raises: Overtaken.
        """
        if not self.pulse.is_even:
            raise Overtaken(routes_unavailable())
        table, now = self._table(), time.time()
        is_same = table is not None and table.version == decision.version
        is_running = now < decision.ends and now < asked.ends
        if is_same and is_running and self._revoked.changes == asked.heard:
            return
        try:
            if table is None:
                raise routes_unavailable()
            self._confirm(table, call, asked, decision, now)
        except Refusal as refusal:
            raise Overtaken(refusal) from None

    def _confirm(
        self, table: Table, call: Call, asked: Asked, decision: Decision, now: float
    ) -> None:
        """Raises: Refusal."""
        shown = asked.presented
        if asked.guest is None:
            self._verifier.check_still(asked.incoming.authorization, shown.address or "")
        else:
            asked.guest.check_still(table)
        agreement = table.confirm(decision, asked.claims, asked.target, call.method, now, shown)
        if decision.agreement.signing == "none" != agreement.signing:
            raise missing(agreement)

    def is_counted(self, call: Call, decision: Decision, asked: Asked) -> bool:
        """Counts the call, where calls taken ahead of the quota are left; else nothing is done."""
        agreement, now = decision.agreement, call.began / 1e9
        left = self._quotas.at_hand(_series(decision, asked), agreement.quota_per_day, now)
        if left is None:
            return False
        call.limits = rate_limits(agreement, left, now)
        return True

    async def count(self, call: Call, decision: Decision, asked: Asked) -> bool:
        """Counts the call against the quota that all gateways share. False, when it is used up,
        which is noted in what it presents: another agreement may still have room.

        Raises: JournalUnavailable.
        """
        agreement = decision.agreement
        per_day, per_month = agreement.quota_per_day, agreement.quota_per_month
        terms = Terms(_series(decision, asked), per_day, per_month)
        try:
            left = await self._quotas.take(terms, call.requested_at)
        except QuotaExceeded as error:
            refusal = denials.over_limit(agreement, "quota-exceeded", error.seconds)
            asked.presented.used_up[agreement.id] = refusal
            return False
        except StoreUnavailable:
            raise JournalUnavailable from None
        call.limits = rate_limits(agreement, left, call.began / 1e9)
        return True

    def _guest(self, consumer: Consumer, incoming: head.Incoming) -> Guest | None:
        """Who calls from another instance. Raises: Refusal, 401."""
        if incoming.authorization is not None or not incoming.is_signed:
            return None
        asked, table = message(consumer), self._table()
        if table is None or not is_guest(asked):
            return None
        try:
            client, has_body = incoming.x_road_client, incoming.has_body
            return recognise(asked, table, client, has_body=has_body)
        except Refusal:
            self._verifier.note_stranger(consumer.address)
            raise

    def _bearer(self, consumer: Consumer, incoming: head.Incoming) -> Claims:
        """Raises: Refusal, 401 or 429."""
        certificate = consumer.certificate
        thumbprint = certificate.thumbprint if certificate is not None else None
        path = consumer.raw_path.decode("latin-1")
        shown = Shown(consumer.method, path, incoming.proof, thumbprint)
        return self._verifier.verify(incoming.authorization, consumer.address, shown)


def _series(decision: Decision, asked: Asked) -> tuple[str, str]:
    """Whose quota: of all versions of an agreement together."""
    return decision.agreement.series or decision.agreement.id, asked.claims.application


def message(consumer: Consumer) -> Message:
    """The request as its signature speaks of it."""
    path, query = consumer.raw_path.decode("latin-1"), consumer.query.decode("latin-1")
    return Message(consumer.headers, consumer.method, path, query)


@lru_cache(SCOPES_KNOWN)
def _reaches_the_bus(scope: str) -> bool:
    return BUS_SCOPE in scope.split()


def _target(consumer: Consumer, call: Call) -> Target:
    """Where the call goes, noted in what is known of it. Raises: Refusal."""
    target, query = parse(consumer.raw_path), consumer.query
    if len(query) > QUERY_BYTES_LIMIT or not _PLAIN.match(query):
        raise query_invalid(QUERY_BYTES_LIMIT)
    call.target = target.raw + b"?" + query if query else target.raw
    call.facts["interface"], call.facts["provider"] = target.interface, target.application
    return target


def _check_said(incoming: head.Incoming, claims: Claims, target: Target) -> None:
    """What is said beside the token must agree with it. Raises: Refusal."""
    if incoming.names_another(claims.application):
        raise client_mismatch()
    _check_represented(incoming, claims)
    if claims.interface not in ("", target.interface):
        raise exchanged_for_another("interface", claims.interface)
    if claims.purpose and incoming.purpose != claims.purpose:
        raise exchanged_for_another("purpose", claims.purpose)


def _check_represented(incoming: head.Incoming, claims: Claims) -> None:
    """Of a token that acts for a business the header is the gateway's word. Raises: Refusal."""
    if claims.acting_for is None:
        return
    if not incoming.represented <= {head.party_of(claims.acting_for.nib)}:
        raise represented_mismatch()
    if incoming.represented:
        incoming.forwarded = [p for p in incoming.forwarded if p[0] != head.REPRESENTED]


def _read_head(consumer: Consumer, call: Call) -> tuple[head.Incoming, Refusal | None]:
    """The head as it stands; a framing fault is kept until the trace is joined, then raised."""
    failure, incoming = None, head.Incoming()
    try:
        incoming = head.read(consumer.headers)
    except Refusal as refusal:
        failure = refusal
    call.join(enter_trace(incoming.traceparent, call.trace), incoming.traceparent)
    call.correlate(incoming.x_road_id)
    return incoming, failure


def _presented(consumer: Consumer) -> Presented:
    """What the connection itself shows."""
    certificate = consumer.certificate
    return Presented(consumer.address, certificate.sha256 if certificate is not None else None)
