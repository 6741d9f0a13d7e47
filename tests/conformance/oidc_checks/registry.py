"""The checks by the names of the OpenID Foundation's test modules, and the tally of a run.

A check takes the provider under test and raises AssertionError where it differs from the
specification. `differs`: our provider refuses on purpose what the module demands; then `refusal`
runs against ours, and the demand itself against a provider that meets it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

PROFILES = ("Basic", "Config", "Dynamic", "Logout", "Back-channel", "FAPI 2.0")


@dataclass(frozen=True)
class Check:
    name: str
    profile: str
    demand: Callable[..., Awaitable[None]]
    refusal: Callable[..., Awaitable[None]] | None = None
    differs: str = ""

    async def run(self, op):
        chosen = self.refusal if self.refusal is not None and op.refuses else self.demand
        await chosen(op)


CHECKS: dict[str, Check] = {}
NOT_SUPPORTED: dict[str, tuple[str, str]] = {}


def check(profile, name):
    def keep(demand):
        assert name not in CHECKS, name
        CHECKS[name] = Check(name, profile, demand)
        return demand

    return keep


def differs(profile, name, why, refusal):
    """On the demand; `refusal` is what ours must do instead."""

    def keep(demand):
        assert name not in CHECKS, name
        CHECKS[name] = Check(name, profile, demand, refusal, why)
        return demand

    return keep


def not_supported(profile, name, why):
    NOT_SUPPORTED[name] = (profile, why)


class Tally:
    def __init__(self, refuses):
        self._refuses, self.passed, self.run = refuses, set(), set()

    def lines(self):
        by_profile = []
        for profile in PROFILES:
            of_it = [one for one in CHECKS.values() if one.profile == profile and self._counts(one)]
            run = [one for one in of_it if one.name in self.run]
            if run:
                by_profile.append(f"{profile} {len(self._passed(run))}/{len(of_it)}")
        apart = [
            one for one in CHECKS.values() if one.name in self.passed and not self._counts(one)
        ]
        whole = [one for one in CHECKS.values() if self._counts(one)]
        yield (
            f"conformance: {len(self._passed(whole))}/{len(whole)} by profile"
            f" ({', '.join(by_profile)}), {len(apart)} differ on purpose"
        )
        for one in apart:
            yield f"  differs on purpose  {one.name}: {one.differs}"
        for name, (profile, why) in NOT_SUPPORTED.items():
            yield f"  not supported       {profile}: {name}: {why}"

    def _counts(self, one):
        return not (self._refuses and one.refusal is not None)

    def _passed(self, of_them):
        return [one for one in of_them if one.name in self.passed]
