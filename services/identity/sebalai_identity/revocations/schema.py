"""Wire shape of the gateway's feed of revocations."""

from pydantic import BaseModel


class RevocationsRead(BaseModel):
    """`entries` are [key, not before, end], in whole seconds since 1970."""

    version: int
    entries: list[tuple[str, int, int]]
    whole: bool
