"""Decisions about event types: describe, version, deprecate; and the checks publishing asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import orjson
import rfc8785
from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.interfaces.actions import offered_interface
from sebalai_exchange.topics import access, rules, store
from sebalai_exchange.topics.access import PLATFORM_OWNERS
from sebalai_exchange.topics.rules import Validator, faults
from sebalai_exchange.topics.schema import TopicWanted
from sebalai_exchange.topics.store import Topic

__all__ = ["PLATFORM_OWNERS", "Topic", "TopicWanted", "Validator", "faults"]

SIDE_BY_SIDE = timedelta(days=366)  # twelve months, of a leap year too
VALIDATORS_MAX = 2_000
_UNDESCRIBED: dict[str, Any] = {"$schema": rules.DIALECT, "type": "object"}
# Who hears of the platform's own facts, by the longest prefix that fits; all else the operator.
PLATFORM_ACCESS = {
    "catalog.service.": "open",
    "catalog.request.": "party",
    "catalog.complaint.": "party",
    "exchange.interface.": "open",
    "exchange.agreement.": "party",
    "identity.agency.": "open",
    "identity.application.": "party",
}


class TopicUnknown(NotFound):
    slug, title = "event-type-unknown", "There is no such event type"


class NotTheOwner(Forbidden):
    slug, title = "not-the-owner", "Only the agency an event type is named after may describe it"


class Incompatible(Conflict):
    slug, title = "schema-incompatible", "The schema breaks what the older version promised"


async def publish_topic(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: TopicWanted
) -> Topic:
    """Describes an event type, or gives it a new minor version when its schema changed.

    Raises `NotTheOwner`, `FieldInvalid`, `Incompatible`.
    """
    if not access.may_describe(caller, wanted.type):
        raise NotTheOwner(
            f"Call as an application of {access.owner_of(wanted.type)} with scope {access.MANAGE}."
        )
    validator = _compiled(wanted.event_schema)
    bad = rules.first_bad_example(validator, wanted.examples)
    if bad is not None:
        raise FieldInvalid(f"/examples/{bad[0]}", bad[1])
    await _require_interface(session, caller, wanted)
    known = await store.lock(session, wanted.type)
    if known is not None and not access.may_change(caller, known.application):
        raise NotTheOwner(f"{known.application or known.owner} described this type.")
    digest = _digest(wanted.event_schema)
    if known is not None:
        await _require_compatible(session, wanted)
    await store.keep(session, _fields(caller, clock, wanted))
    if known is None or known.schema_sha256 != digest:
        minor = 0 if known is None else known.minor + 1
        await store.add_version(session, _version(caller, clock, wanted, (minor, digest)))
    return await find_topic(session, caller=caller, kind=wanted.type)


def _compiled(schema: Mapping[str, Any]) -> Validator:
    try:
        return rules.compile_schema(schema)
    except rules.SchemaRefusedError as error:
        raise FieldInvalid("/schema", str(error)) from error


def _digest(schema: Mapping[str, Any]) -> str:
    try:
        return sha256(rfc8785.dumps(dict(schema))).hexdigest()
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise FieldInvalid("/schema", "must be plain JSON: no number beyond 2^53") from error


async def _require_interface(session: AsyncSession, caller: Caller, wanted: TopicWanted) -> None:
    if wanted.access == "agreement" and wanted.interface is None:
        raise FieldInvalid("/interface", "names the interface whose agreements give the right")
    if wanted.interface is None:
        return
    offered = await offered_interface(session, name=wanted.interface)
    if offered is None or not offered.is_active:
        raise FieldInvalid("/interface", "no such active interface; publish it first")
    if not caller.is_operator and offered.provider != caller.application:
        raise FieldInvalid("/interface", "is another application's; name one of your own")


async def _require_compatible(session: AsyncSession, wanted: TopicWanted) -> None:
    """Against every older minor version, with all their examples (backward, transitive)."""
    validator = _compiled(wanted.event_schema)
    for version in await store.versions(session, wanted.type):
        old = orjson.loads(version["schema"])
        found = list(rules.breaks(old, wanted.event_schema))
        bad = rules.first_bad_example(validator, orjson.loads(version["examples"]))
        if bad is not None:
            found.append(f"example {bad[0]} of minor {version['minor']} is refused: {bad[1]}")
        if found:
            raise Incompatible(
                f"Keep minor {version['minor']}'s promises, or publish "
                f"{_next_major(wanted.type)} beside it.",
                breaks=found[:20],
            )


def _next_major(kind: str) -> str:
    name, _, major = kind.rpartition(".v")
    return f"{name}.v{int(major) + 1}"


def _fields(caller: Caller, clock: Clock, wanted: TopicWanted) -> dict[str, Any]:
    fields = wanted.model_dump(exclude={"event_schema", "examples"})
    return fields | {
        "owner": access.owner_of(wanted.type),
        "application": caller.application,
        "now": clock.now(),
    }


def _version(
    caller: Caller, clock: Clock, wanted: TopicWanted, numbered: tuple[int, str]
) -> dict[str, Any]:
    return {
        "type": wanted.type,
        "minor": numbered[0],
        "schema": orjson.dumps(wanted.event_schema).decode(),
        "schema_sha256": numbered[1],
        "examples": orjson.dumps(wanted.examples).decode(),
        "by": str(caller.application or caller.subject),
        "now": clock.now(),
    }


async def deprecate_topic(
    session: AsyncSession, clock: Clock, *, caller: Caller, kind: str, successor: str
) -> Topic:
    """Says that `successor` takes over; the old type is published for SIDE_BY_SIDE more.

    Raises `TopicUnknown`, `NotTheOwner`, `FieldInvalid`.
    """
    topic = await store.lock(session, kind)
    if topic is None:
        raise TopicUnknown("See /v1/topics.")
    if not access.may_change(caller, topic.application):
        raise NotTheOwner(f"{topic.application or topic.owner} described this type.")
    if successor == kind or await store.find(session, caller, successor) is None:
        raise FieldInvalid("/successor", "must be another described type")
    now = clock.now()
    await store.deprecate(session, kind, successor, now + SIDE_BY_SIDE, now)
    return await find_topic(session, caller=caller, kind=kind)


async def retire_topic(session: AsyncSession, clock: Clock, *, caller: Caller, kind: str) -> None:
    """Ends publishing at once; the name keeps its meaning and is never given again. Whether
    somebody still counts on the type is for the caller of this to settle.

    Raises `TopicUnknown`, `NotTheOwner`.
    """
    topic = await store.lock(session, kind)
    if topic is None:
        raise TopicUnknown("See /v1/topics.")
    if not access.may_change(caller, topic.application):
        raise NotTheOwner(f"{topic.application or topic.owner} described this type.")
    await store.retire(session, kind, clock.now())


async def topics_of(session: AsyncSession, *, caller: Caller, application: str) -> Sequence[Topic]:
    """What an application has described, by name; at most a thousand."""
    return await store.of_application(session, caller, application)


async def find_topic(session: AsyncSession, *, caller: Caller, kind: str) -> Topic:
    topic = await store.find(session, caller, kind)
    if topic is None:
        raise TopicUnknown("See /v1/topics.")
    return topic


async def list_topics(
    session: AsyncSession, *, caller: Caller, owner: str | None, after: str | None, limit: int
) -> Sequence[Topic]:
    return await store.page(session, caller, owner, after, limit)


async def list_versions(
    session: AsyncSession, *, caller: Caller, kind: str
) -> Sequence[Mapping[str, Any]]:
    await find_topic(session, caller=caller, kind=kind)
    return await store.versions(session, kind)


@dataclass(frozen=True)
class Offer:
    """What decides who may hear of a type, and how far back where a purpose does not say."""

    type: str
    access: str
    interface: str | None
    application: str | None
    retention_days: int


async def offers(session: AsyncSession) -> dict[str, Offer]:
    return {row["type"]: Offer(**row) for row in await store.routing(session)}


class Validators:
    """Compiled schemas by their digest, which never changes its meaning; bounded."""

    def __init__(self) -> None:
        self._kept: dict[str, Validator] = {}

    def of(self, topic: Topic) -> Validator:
        found = self._kept.get(topic.schema_sha256)
        if found is None:
            if len(self._kept) >= VALIDATORS_MAX:
                self._kept.pop(next(iter(self._kept)))
            found = self._kept[topic.schema_sha256] = rules.compile_schema(topic.schema)
        return found


async def note_platform_type(session: AsyncSession, clock: Clock, *, kind: str) -> bool:
    """Makes a type of the platform known when its first fact arrives, if nothing has described it
    before; False for any other type.
    """
    if not _is_of_the_platform(kind):
        return False
    await store.note_platform_type(session, _platform_fields(clock, kind, _UNDESCRIBED))
    return True


async def describe_platform_type(
    session: AsyncSession, clock: Clock, *, kind: str, schema: dict[str, Any]
) -> bool:
    """Keeps the schema a member has published for its own facts, as the next minor version when it
    changed; whether anything did. Facts are taken as they come: a schema refuses none of them.

    Raises `FieldInvalid`, `ValueError` when the type is not one of the platform.
    """
    if not _is_of_the_platform(kind):
        raise ValueError(f"{kind} is not a type of the platform")
    _compiled(schema)
    fields = _platform_fields(clock, kind, schema)
    known = await store.lock(session, kind)
    if known is None:
        await store.note_platform_type(session, fields)
        return True
    if known.schema_sha256 == fields["schema_sha256"]:
        return False
    await store.describe(session, kind, fields["description"], clock.now())
    await store.add_version(session, fields | {"minor": known.minor + 1})
    return True


def _is_of_the_platform(kind: str) -> bool:
    return access.owner_of(kind) in access.PLATFORM_OWNERS


def _platform_fields(clock: Clock, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    fits = [prefix for prefix in PLATFORM_ACCESS if kind.startswith(prefix)]
    owner = access.owner_of(kind)
    return {
        "type": kind,
        "owner": owner,
        "title": kind,
        "description": schema.get("description") or f"A fact of the platform's part {owner}.",
        "access": PLATFORM_ACCESS[max(fits, key=len)] if fits else "operator",
        "minor": 0,
        "schema": orjson.dumps(schema).decode(),
        "schema_sha256": _digest(schema),
        "examples": "[]",
        "by": "platform",
        "now": clock.now(),
    }
