"""Only the fields somebody asked for, for a telephone on a weak line: `?fields=slug,name`."""

from typing import Annotated, Any

import orjson
from fastapi import Depends, Query, Request
from sebalai_shared.problems import FieldInvalid

from sebalai_services_catalog.conditional import Conditional

FIELDS_LENGTH_MAX = 500

Fields = Annotated[
    str | None,
    Query(
        max_length=FIELDS_LENGTH_MAX,
        pattern=r"^[a-z_0-9]+(,[a-z_0-9]+)*$",
        description="names of fields to answer, of each item in a list; all when absent",
    ),
]


async def _documented(fields: Fields = None) -> None:
    """Only for the description: `Sparse` does it."""
    del fields


SPARSE = [Depends(_documented)]
"""The dependencies of a route that is described as sparse."""


class Sparse(Conditional):
    """Cuts each 200 of a GET to the fields asked for, before its ETag is made.

    An object's own fields, or those of a list's items. A name no item has is a 422.
    """

    def body_of(self, request: Request, body: bytes) -> bytes:
        wanted = request.query_params.get("fields")
        if wanted is None:
            return body
        document, names = orjson.loads(body), wanted.split(",")
        if "items" in document:
            document["items"] = [_cut(item, names) for item in document["items"]]
            return orjson.dumps(document)
        return orjson.dumps(_cut(document, names))


class Private(Sparse):
    """The same of what the caller alone may see: nobody between keeps it, nor do we."""

    cache_control = "private, no-cache"


def _cut(item: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Raises: FieldInvalid."""
    unknown = [name for name in names if name not in item]
    if unknown:
        raise FieldInvalid("/fields", f"There is no field {unknown[0]}.")
    return {name: item[name] for name in names}
