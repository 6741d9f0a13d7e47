"""What a harvester asks, read strictly by OAI-PMH 2.0, sections 2.5, 3.3, 3.6 and 4."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sebalai_shared.pagination import BadCursor, decode_cursor, encode_cursor

TOKEN_LIFETIME = timedelta(hours=24)
SEQ_BELOW = 2**63
FORMATS = ("oai_dc", "mods")

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SECOND = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_IDENTIFIER = re.compile(r"urn:uuid:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
_SET = re.compile(r"(agency:[a-z0-9-]{1,40}|classification:[0-9]{3})")

# Verb to the arguments it needs and those it takes besides.
VERBS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "Identify": (frozenset(), frozenset()),
    "ListMetadataFormats": (frozenset(), frozenset({"identifier"})),
    "ListSets": (frozenset(), frozenset({"resumptionToken"})),
    "GetRecord": (frozenset({"identifier", "metadataPrefix"}), frozenset()),
    "ListIdentifiers": (
        frozenset({"metadataPrefix"}),
        frozenset({"from", "until", "set", "resumptionToken"}),
    ),
    "ListRecords": (
        frozenset({"metadataPrefix"}),
        frozenset({"from", "until", "set", "resumptionToken"}),
    ),
}


class Refused(Exception):
    """An error of the protocol; `code` is one of section 3.6."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Listing:
    """A list request, new or resumed: after `seq`; `is_resumed` when a token asked."""

    prefix: str
    since: datetime | None
    until: datetime | None
    set_name: str | None
    seq: int = 0
    is_resumed: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """`arguments` as they came, for the answer to repeat."""

    verb: str
    arguments: dict[str, str]


def read_ask(pairs: Sequence[tuple[str, str]]) -> Ask:
    """Raises Refused: badVerb, badArgument."""
    verbs = [value for name, value in pairs if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in VERBS:
        raise Refused("badVerb", "Send exactly one verb, one of " + ", ".join(VERBS))
    arguments = {name: value for name, value in pairs if name != "verb"}
    if len(arguments) != len(pairs) - 1:
        raise Refused("badArgument", "An argument stands twice.")
    _check_names(verbs[0], frozenset(arguments))
    return Ask(verbs[0], arguments)


def _check_names(verb: str, names: frozenset[str]) -> None:
    needed, allowed = VERBS[verb]
    if unknown := names - needed - allowed:
        raise Refused("badArgument", f"{verb} takes no {', '.join(sorted(unknown))[:100]}.")
    if "resumptionToken" in names:
        if len(names) > 1:
            raise Refused("badArgument", "resumptionToken stands alone.")
    elif missing := needed - names:
        raise Refused("badArgument", f"{verb} needs {', '.join(sorted(missing))}.")


def record_id_of(identifier: str) -> UUID:
    """Raises Refused: idDoesNotExist."""
    found = _IDENTIFIER.fullmatch(identifier)
    if found is None:
        raise Refused("idDoesNotExist", "Identifiers here look like urn:uuid:…")
    return UUID(found.group(1))


def format_of(arguments: dict[str, str]) -> str:
    """Raises Refused: cannotDisseminateFormat."""
    prefix = arguments["metadataPrefix"]
    if prefix not in FORMATS:
        raise Refused("cannotDisseminateFormat", f"Take one of {', '.join(FORMATS)}.")
    return prefix


def listing_of(ask: Ask, now: datetime) -> Listing:
    """Raises Refused: badArgument, badResumptionToken, cannotDisseminateFormat, noRecordsMatch."""
    token = ask.arguments.get("resumptionToken")
    if token is not None:
        return _resumed(token, ask.verb, now)
    since, until = _times(ask.arguments.get("from"), ask.arguments.get("until"))
    set_name = ask.arguments.get("set")
    if set_name is not None and _SET.fullmatch(set_name) is None:
        raise Refused("noRecordsMatch", "ListSets tells which sets there are.")
    return Listing(format_of(ask.arguments), since, until, set_name)


def _times(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Both included; a day as `until` is its last second."""
    if since and until and len(since) != len(until):
        raise Refused("badArgument", "from and until have one granularity.")
    first, last = _time(since, ends=False), _time(until, ends=True)
    if first and last and first > last:
        raise Refused("badArgument", "from is later than until.")
    return first, last


def _time(value: str | None, *, ends: bool) -> datetime | None:
    if value is None:
        return None
    is_day = _DAY.fullmatch(value) is not None
    if not is_day and _SECOND.fullmatch(value) is None:
        raise Refused("badArgument", "Dates are YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ.")
    try:
        found = datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError as error:
        raise Refused("badArgument", "There is no such date.") from error
    return found.replace(hour=23, minute=59, second=59) if is_day and ends else found


def token_after(listing: Listing, verb: str, seq: int, now: datetime) -> tuple[str, datetime]:
    """Where the list goes on, with all that it needs inside, and until when that holds."""
    expires = (now + TOKEN_LIFETIME).replace(microsecond=0)
    times = [one.timestamp() if one else None for one in (listing.since, listing.until)]
    key = [verb, listing.prefix, *times, listing.set_name, seq, expires.timestamp()]
    return encode_cursor(key), expires


def _resumed(token: str, verb: str, now: datetime) -> Listing:
    refused = Refused("badResumptionToken", "The token is not ours, or older than a day.")
    try:
        key = decode_cursor(token, 7)
        if key is None or key[0] != verb or key[1] not in FORMATS:
            raise refused
        since, until, expires = (_instant(key[place]) for place in (2, 3, 6))
        set_name, seq = key[4], key[5]
    except (BadCursor, OverflowError, OSError, TypeError, ValueError) as error:
        raise refused from error
    is_set = set_name is None or (isinstance(set_name, str) and _SET.fullmatch(set_name))
    is_seq = isinstance(seq, int) and 0 <= seq < SEQ_BELOW
    if expires is None or expires < now or not is_set or not is_seq:
        raise refused
    return Listing(key[1], since, until, set_name, seq, is_resumed=True)


def _instant(value: float | None) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(value, UTC)
