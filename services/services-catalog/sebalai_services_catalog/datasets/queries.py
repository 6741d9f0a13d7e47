"""What is looked for among datasets, and the part of Solr's query language that CKAN's clients use.

`word "two words" field:value -field:"a value"`, all of which must hold. Alternatives, groups,
ranges and wildcards are not understood, and refused instead of guessed.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

Field = Literal["organization", "groups", "tags", "res_format", "license_id", "name"]
Order = Literal["name", "title_string", "metadata_modified", "metadata_created"]

QUERY_LENGTH_MAX = 500
PARTS_MAX = 20
ROWS_DEFAULT, ROWS_MAX = 10, 100
START_MAX = 100_000

_ALIASES: dict[str, Field] = {"owner_org": "organization", "author": "organization"}
# What every one of our datasets is: asking for it filters nothing.
_ALWAYS = {"dataset_type:dataset", "type:dataset", "state:active", "capacity:public", "*:*"}
_PART = re.compile(r'([+-]?)(?:([a-z_]+):)?("[^"]*"|[^\s"]+)(?=\s|$)')
_UNKNOWN = re.compile(r"[(){}\[\]^~\\]|\|\||&&|(?<![^\s:+-])!|(?<!\S)(?:OR|NOT)(?!\S)")
_WILD = re.compile(r"[*?]")


class NotUnderstood(ValueError):
    """The query is not of the language above."""


@dataclass(frozen=True, slots=True)
class Filter:
    field: Field
    value: str
    is_not: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """`sort`: fields, each with whether it falls."""

    words: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    sort: tuple[tuple[Order, bool], ...] = (("metadata_modified", True),)
    start: int = 0
    rows: int = ROWS_DEFAULT


def parse(query: str) -> tuple[tuple[str, ...], tuple[Filter, ...]]:
    """Words and filters of one query. Raises: NotUnderstood."""
    if len(query) > QUERY_LENGTH_MAX or "\x00" in query:
        raise NotUnderstood(f"A query has at most {QUERY_LENGTH_MAX} characters and no NUL.")
    bare = re.sub(r'"[^"]*"', "", query)
    if _UNKNOWN.search(bare):
        raise NotUnderstood("Alternatives, groups and escapes are not understood; join by blanks.")
    words, filters, place = list[str](), list[Filter](), 0
    parts = query.split() if query.count('"') % 2 else []
    if parts:
        raise NotUnderstood("A quotation is not closed.")
    for part in _PART.finditer(query):
        if query[place : part.start()].strip():
            raise NotUnderstood(f"Not understood: {query[place : part.start()].strip()}")
        place = part.end()
        _take(part, words, filters)
    if query[place:].strip():
        raise NotUnderstood(f"Not understood: {query[place:].strip()}")
    if len(words) + len(filters) > PARTS_MAX:
        raise NotUnderstood(f"At most {PARTS_MAX} words and filters are taken.")
    return tuple(words), tuple(filters)


def _take(part: re.Match[str], words: list[str], filters: list[Filter]) -> None:
    sign, field, value = part.group(1), part.group(2), part.group(3).strip('"')
    if not value:
        raise NotUnderstood("There is nothing between the quotation marks.")
    if not part.group(3).startswith('"') and _is_all(sign, field, value):
        return
    if field is None:
        if sign == "-":
            raise NotUnderstood("Only a filter can be excluded, not a word.")
        words.append(value)
        return
    known = _ALIASES.get(field, field)
    if known not in get_args(Field):
        raise NotUnderstood(f"There is no field {field}; there are {', '.join(get_args(Field))}.")
    filters.append(Filter(known, value, sign == "-"))  # pyright: ignore[reportArgumentType]


def _is_all(sign: str, field: str | None, value: str) -> bool:
    """What every dataset is, and so filters nothing. Raises: NotUnderstood, on other wildcards."""
    said = f"{field}:{value}" if field else value
    if said in _ALWAYS or said == "AND" or value == "*":
        if sign == "-":
            raise NotUnderstood("Every dataset has that: excluding it leaves none.")
        return True
    if _WILD.search(value):
        raise NotUnderstood("Wildcards are taken only alone; put a value with one in quotations.")
    return False


def parse_sort(sort: str) -> tuple[tuple[Order, bool], ...]:
    """`name asc, metadata_modified desc`; `score` is passed over. Raises: NotUnderstood."""
    found = list[tuple[Order, bool]]()
    for part in sort.split(","):
        name, _, way = part.strip().partition(" ")
        if way.strip() not in ("", "asc", "desc"):
            raise NotUnderstood("A field is sorted asc or desc.")
        if name in ("score", "relevance"):
            continue
        name = "title_string" if name == "title" else name
        if name not in get_args(Order):
            raise NotUnderstood(f"Sort by {', '.join(get_args(Order))}.")
        found.append((name, way.strip() == "desc"))  # pyright: ignore[reportArgumentType]
    return tuple(found) or Wanted().sort
