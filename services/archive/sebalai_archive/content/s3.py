"""Content in a bucket of any store that speaks S3, by obstore: `cas/ab/<digest>`.

What the store has acknowledged is durable by its own word, with the SHA-256 that every upload
carries. Bytes are made ready on this machine first, because their name is their digest. Damaged
ones go to `quarantine/`. Objects are never changed: a name is written with If-None-Match, or again
with the same bytes.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from sebalai_archive.content.places import (
    ERASE_AFTER_SECONDS,
    SWEEP_AFTER_SECONDS,
    SWEEP_BATCH,
    Named,
)

CONNECT_SECONDS, REQUEST_SECONDS, RETRIES = 5, 60, 3
PART_BYTES = 8 * 1024**2
PARTS_AT_ONCE = 4
CAS, ASIDE = "cas/", "quarantine/"


@dataclass(frozen=True, slots=True)
class Bucket:
    """`endpoint` with its scheme; `path` before every key of ours, or empty."""

    endpoint: str
    name: str
    region: str
    path: str
    key_id: str
    secret: str


def open_bucket(bucket: Bucket) -> S3Store:
    seconds = timedelta(seconds=REQUEST_SECONDS)
    return S3Store(
        bucket.name,
        prefix=bucket.path or None,
        endpoint=bucket.endpoint,
        region=bucket.region,
        access_key_id=bucket.key_id,
        secret_access_key=bucket.secret,
        checksum_algorithm="SHA256",
        client_options={
            "allow_http": bucket.endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "timeout": seconds,
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": seconds},
    )


class S3Place:
    """`stage` is a folder of this machine."""

    name = "content"

    def __init__(self, bucket: S3Store, stage: Path) -> None:
        self._bucket, self.stage = bucket, stage

    async def check(self) -> None:
        async with _as_oserror():
            await obstore.list_with_delimiter_async(self._bucket, "check")

    async def keep(self, staged: Path, digest: str, *, is_ours: bool = True) -> None:
        async with _as_oserror():
            if (await asyncio.to_thread(staged.stat)).st_size > PART_BYTES:
                await self._write(staged, digest)
            else:
                await self._write_new(staged, digest)
        if is_ours:
            await asyncio.to_thread(staged.unlink)

    async def keep_all(self, staged: Mapping[Path, str]) -> None:
        async with asyncio.TaskGroup() as group:
            for path, digest in staged.items():
                group.create_task(self.keep(path, digest))

    async def _write_new(self, staged: Path, digest: str) -> None:
        """The same bytes again cost no second write, unless the sweeper could come."""
        try:
            await obstore.put_async(self._bucket, _key(digest), staged, mode="create")
        except AlreadyExistsError:
            if await self._is_old(_key(digest), SWEEP_AFTER_SECONDS / 2):
                await self._write(staged, digest)

    async def _write(self, staged: Path, digest: str) -> None:
        await obstore.put_async(
            self._bucket,
            _key(digest),
            staged,
            chunk_size=PART_BYTES,
            max_concurrency=PARTS_AT_ONCE,
        )

    async def size(self, digest: str) -> int | None:
        try:
            async with _as_oserror():
                return (await obstore.head_async(self._bucket, _key(digest)))["size"]
        except FileNotFoundError:
            return None

    async def read(self, digest: str, start: int, end: int) -> bytes:
        if start == end:
            return b""
        async with _as_oserror():
            return bytes(
                await obstore.get_range_async(self._bucket, _key(digest), start=start, end=end)
            )

    async def erase(self, digest: str) -> bool:
        try:
            async with _as_oserror():
                if not await self._is_old(_key(digest), ERASE_AFTER_SECONDS):
                    return False
                await obstore.delete_async(self._bucket, _key(digest))
        except FileNotFoundError:
            return True
        return await self.size(digest) is None

    async def _is_old(self, key: str, after_seconds: float) -> bool:
        told = await obstore.head_async(self._bucket, key)
        return _is_older(told["last_modified"], after_seconds)

    async def set_aside(self, digest: str, name: str) -> bool:
        try:
            async with _as_oserror():
                await obstore.copy_async(self._bucket, _key(digest), ASIDE + name)
                await obstore.delete_async(self._bucket, _key(digest))
        except FileNotFoundError:
            return False
        return True

    async def forget_aside(self, digest: str) -> None:
        async with _as_oserror():
            for key in await self._those_aside(digest):
                await obstore.delete_async(self._bucket, key)

    async def has_aside(self, digest: str) -> bool:
        async with _as_oserror():
            return bool(await self._those_aside(digest))

    async def _those_aside(self, digest: str) -> list[str]:
        """A listing goes by whole parts of a path, so quarantine is read through: it is short."""
        return [
            one["path"]
            async for some in obstore.list(self._bucket, ASIDE)
            for one in some
            if one["path"].startswith(f"{ASIDE}{digest}.")
        ]

    async def sweep(self, named: Named) -> int:
        removed = 0
        async with _as_oserror():
            async for some in obstore.list(self._bucket, CAS, chunk_size=SWEEP_BATCH):
                old = [
                    one["path"]
                    for one in some
                    if _is_older(one["last_modified"], SWEEP_AFTER_SECONDS)
                ]
                removed += await self._sweep(old, named)
        return removed

    async def _sweep(self, keys: Sequence[str], named: Named) -> int:
        kept = await named([key.rpartition("/")[2] for key in keys]) if keys else set[str]()
        removed = 0
        for key in keys:
            # Asked again: an upload of the same bytes may have written it anew meanwhile.
            if key.rpartition("/")[2] not in kept and await self._is_old(key, SWEEP_AFTER_SECONDS):
                await obstore.delete_async(self._bucket, key)
                removed += 1
        return removed


def _key(digest: str) -> str:
    return f"{CAS}{digest[:2]}/{digest}"


def _is_older(at: datetime, seconds: float) -> bool:
    return at.timestamp() < time.time() - seconds


@asynccontextmanager
async def _as_oserror() -> AsyncGenerator[None]:
    """What the bucket says, as a folder would say it."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError("the bucket has no such content") from error
    except BaseError as error:
        raise OSError(f"the bucket does not do it: {type(error).__name__}") from error
