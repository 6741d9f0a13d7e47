"""CSV that a spreadsheet opens without running anything in it."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins with one of these is a formula to some spreadsheet (OWASP, CSV injection)."""
SEPARATORS = (";", "\t", "|", "\r", "\n")
"""What some spreadsheet takes for the end of a cell, quotation marks or not, where ours is `,`."""
_INNER = re.compile(r'([;\t|\r\n][ "]*)(?=[=+\-@])')


def cell(value: object) -> str:
    """As text; an apostrophe before what begins like a formula, blanks or not, and inside it before
    what would, were it cut at another separator.
    """
    text = _INNER.sub(r"\1'", "" if value is None else str(value))
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_SIGNS) else text


def sheet(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """A line of names, then a line a row (RFC 4180)."""
    text = StringIO()
    # CRLF also makes the writer quote a lone CR, which would begin a row of its own.
    writer = csv.DictWriter(text, names, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: cell(row.get(name)) for name in names})
    return text.getvalue()
