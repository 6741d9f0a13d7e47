"""What is counted of calls: outcomes, problems, times. Prometheus text, served by `listener`.

Labels are names of the routing table and words of our own, never anything a consumer wrote; of
names the first NAMES_LIMIT are told apart and all others are counted together.
"""

from __future__ import annotations

from collections import defaultdict

from prometheus_client import CollectorRegistry, Counter

from sebalai_gateway.calls.record import Call
from sebalai_gateway.metering.times import SECONDS, Times

INTERFACES_LIMIT = 500
AGREEMENTS_LIMIT = 1_000
PROBLEMS_LIMIT = 200
# Calls counted between two times they are told.
TELL_EACH = 10_000
OTHER, NONE = "other", "none"
_Counters = tuple[Counter, Counter]
_Tally = defaultdict[tuple[str | None, str | None, str, int], int]
CREDENTIAL_PROBLEM = "provider-credential-unavailable"


class Names:
    """The first `limit` names, for as long as the process lives."""

    def __init__(self, limit: int) -> None:
        self._limit, self._known = limit, set[str]()

    def of(self, name: str | None) -> str:
        if not name:
            return NONE
        if name not in self._known:
            if len(self._known) >= self._limit:
                return OTHER
            self._known.add(name)
        return name


class Meter:
    """One a gateway; several processes of one add up where their values lie in files."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._interfaces, self._agreements = Names(INTERFACES_LIMIT), Names(AGREEMENTS_LIMIT)
        self._problems = Names(PROBLEMS_LIMIT)
        self._found: dict[tuple[str, str, str, str], _Counters] = {}
        self._tally, self._untold = _Tally(int), 0
        self._outcomes: dict[str, Times] = {}
        self._calls = self._counter("calls", "Calls", "interface", "outcome", "status")
        self._by_agreement = self._counter("agreement_calls", "Calls", "agreement", "outcome")
        self._by_problem = self._counter("problems", "Faults told", "outcome", "problem")
        self._credentials = self._counter("credential_failures", "Calls refused", "interface")
        self._ejections = self._counter("ejections", "Addresses left out for a while", "interface")
        self._seconds = self._times("call_seconds", "Whole path of a call", "outcome")
        self._provider = self._times("provider_seconds", "Until the head of a provider's answer")
        self._journal = self._times("journal_wait_seconds", "Waiting for the journal, of a call")

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"sebalai_gateway_{name}", told, labels, registry=self.registry)

    def _times(self, name: str, told: str, *labels: str) -> Times:
        full = f"sebalai_gateway_{name}"
        return Times(full, told, labels, registry=self.registry, buckets=SECONDS)

    def _counters(self, interface: str, agreement: str, outcome: str, status: str) -> _Counters:
        """Kept, because finding a counter by its labels costs more than counting; as bounded as
        the names are.
        """
        key = interface, agreement, outcome, status
        found = self._found.get(key)
        if found is None:
            calls = self._calls.labels(interface, outcome, status)
            by_agreement = self._by_agreement.labels(agreement, outcome)
            found = self._found[key] = (calls, by_agreement)
        return found

    def _of_outcome(self, outcome: str) -> Times:
        found = self._outcomes[outcome] = self._seconds.labels(outcome)
        return found

    def call(self, call: Call, status: int) -> None:
        """Counts a call that is over; `status` 0 is an answer that never began."""
        facts, outcome = call.facts, call.outcome
        agreement, problem = facts["agreement"], facts["problem"]
        # Before a decision the interface is what the consumer wrote.
        interface = facts["interface"] if agreement else None
        self._tally[interface, agreement, outcome, status // 100] += 1
        if problem:
            self._by_problem.labels(outcome, self._problems.of(problem)).inc()
            if problem == CREDENTIAL_PROBLEM:
                self._credentials.labels(self._interfaces.of(interface)).inc()
        (self._outcomes.get(outcome) or self._of_outcome(outcome)).add(call.elapsed)
        if call.provider_seconds is not None:
            self._provider.add(call.provider_seconds)
        if call.journal_seconds:
            self._journal.add(call.journal_seconds)
        self._untold += 1
        if self._untold >= TELL_EACH:
            self.tell()

    def tell(self) -> None:
        """Hands on what was counted since the last time, to whoever reads the registry."""
        tally, self._tally, self._untold = self._tally, _Tally(int), 0
        for (interface, agreement, outcome, status), count in tally.items():
            status_class = f"{status}xx" if status else NONE
            names = self._interfaces.of(interface), self._agreements.of(agreement)
            for counter in self._counters(*names, outcome, status_class):
                counter.inc(count)
        for times in (*self._outcomes.values(), self._provider, self._journal):
            times.tell()

    def ejected(self, interface: str) -> None:
        self._ejections.labels(self._interfaces.of(interface)).inc()
