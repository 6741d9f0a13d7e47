"""Finding a letter in a register: each word that is asked for stands somewhere in its row."""

from typing import Annotated, Any

from fastapi import Depends, Query
from sebalai_shared.pagination import Limit
from sqlalchemy import ColumnElement, SQLColumnExpression, and_, or_

from sebalai_archive.paging import AfterId, PageAsk

WORDS_LENGTH_MAX = 200
WORDS_MAX = 8

Words = Annotated[
    str | None,
    Query(
        alias="q",
        min_length=2,
        max_length=WORDS_LENGTH_MAX,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="words or parts of them, of the number, the subject and who it is from or for",
    ),
]


async def _register_page(after: AfterId, words: Words = None, limit: Limit = 20) -> PageAsk:
    return PageAsk(after, limit, words)


RegisterPage = Annotated[PageAsk, Depends(_register_page)]


def holds(words: str, *columns: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """Whether each word is a part of one of the columns, in whatever case."""
    patterns = [f"%{_taken_literally(word)}%" for word in words.split()[:WORDS_MAX]]
    return and_(*(or_(*(one.ilike(pattern) for one in columns)) for pattern in patterns))


def _taken_literally(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
