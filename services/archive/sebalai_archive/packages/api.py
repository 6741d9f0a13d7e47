"""HTTP of packages: `/v1/packages`, out as a zip that is made while it is sent, and in."""

import asyncio
import logging
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated, BinaryIO
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from sebalai_shared.caller import Caller, IdentifiedAccess
from sebalai_shared.database import Database, Transaction
from sebalai_shared.problems import FieldInvalid, Problem, Unavailable, responses

from sebalai_archive.content.frames import SealBroken
from sebalai_archive.content.keys import KeyUnknown
from sebalai_archive.content_store import ContentStore, OverLimit, Stored
from sebalai_archive.packages import actions
from sebalai_archive.packages.actions import (
    ContentMissing,
    FileUnitClosed,
    PackageEmpty,
    PackageTooLarge,
    SourceChanged,
)
from sebalai_archive.packages.bag_reading import Bag, BagRefused, read_bag
from sebalai_archive.packages.bag_writing import BagWriter, ContentDiffers
from sebalai_archive.packages.composing import Wanted, entries_of
from sebalai_archive.packages.judging import Packaged
from sebalai_archive.packages.schema import ImportRead
from sebalai_archive.records import actions as records
from sebalai_archive.records.actions import MayNotWrite, RecordUnknown, keeping, opening

router = APIRouter(prefix="/v1/packages", tags=["packages"])
log = logging.getLogger(__name__)

MEDIA_TYPE = "application/zip"
NAMED_MAX = 100


class PackageInvalid(Problem):
    status, slug, title = 422, "package-invalid", "The package is not what it should be"


class PackageUnavailable(Unavailable):
    slug, title = "package-unavailable", "A content of the package cannot be read for the moment"


OPENING = (
    RecordUnknown, opening.ContentClosed, opening.ContentDestroyed, opening.ContentInfected,
    keeping.FileUnitUnknown, PackageEmpty, PackageTooLarge, ContentMissing, PackageUnavailable,
    FieldInvalid,
)  # fmt: skip


@router.get(
    "",
    response_class=StreamingResponse,
    responses={
        **responses(*OPENING),
        200: {
            "description": "BagIt around E-ARK CSIP",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
    },
)
async def export_package(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    file_unit: Annotated[UUID | None, Query(description="all of it that you may open")] = None,
    record: Annotated[list[UUID] | None, Query(max_length=NAMED_MAX)] = None,
) -> StreamingResponse:
    """Declared records with their metadata and proofs, as a bag. A transfer that breaks off before
    its manifest was ended because stored bytes are not what they should be, or by the network.
    """
    if (file_unit is None) == (not record):
        raise FieldInvalid("/file_unit", "Name a file unit, or records.")
    state, clock = request.app.state, request.app.state.clock
    if file_unit is not None:
        packed = await actions.pack_file_unit(session, clock, caller=caller, file_id=file_unit)
    else:
        packed = await actions.pack_records(session, clock, caller=caller, ids=record or [])
    store: ContentStore = state.content
    for one in packed:
        if not await store.holds(one.stored):
            raise PackageUnavailable(f"{one.record.id}: its file is not where it should be.")
    name = f"arsip-{file_unit or packed[0].record.id}"
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    body = _sent(request, caller, name, packed)
    return StreamingResponse(body, media_type=MEDIA_TYPE, headers=headers)


async def _sent(
    request: Request, caller: Caller, name: str, packed: list[Wanted]
) -> AsyncGenerator[bytes]:
    state, now = request.app.state, request.app.state.clock.now()
    info = {
        "Source-Organization": f"urn:sebalai:agency:{caller.agency or ''}",
        "External-Identifier": name,
        "Bagging-Date": now.date().isoformat(),
        "Bag-Software-Agent": "Sebalai",
    }
    entries = (entry for one in packed for entry in entries_of(one, state.settings.public_url, now))
    try:
        async for chunk in BagWriter(name, now, _reading(state.content)).write(entries, info):
            yield chunk
    except (ContentDiffers, KeyUnknown, SealBroken, OSError):
        log.exception("stored content is damaged; its package was cut off")
        raise


def _reading(store: ContentStore):  # noqa: ANN202 - a Reading
    async def read(stored: Stored) -> AsyncGenerator[bytes]:
        async for piece in store.stream(stored, 0, stored.size):
            yield piece

    return read


@router.post(
    "",
    responses=responses(
        MayNotWrite, PackageInvalid, PackageTooLarge, PackageUnavailable, SourceChanged,
        FileUnitClosed, FieldInvalid,
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)  # fmt: skip
async def import_package(request: Request, caller: IdentifiedAccess) -> ImportRead:
    """Drafts of the caller's agency from a bag that this archive or another Sebalai made; the same
    package again changes nothing. All of it is checked before anything of it is kept.
    """
    records.require_writer(caller)
    state = request.app.state
    store: ContentStore = state.content
    with await asyncio.to_thread(_staged, state.settings.content_dir) as file:
        await _receive(request, file, store.bytes_limit)
        try:
            bag, packaged = await asyncio.to_thread(_judged, file, store.bytes_limit)
            stored = await actions.store_contents(store, bag, packaged)
        except BagRefused as error:
            raise PackageInvalid(str(error)) from error
        except (OSError, OverLimit) as error:
            raise PackageUnavailable("The store did not take it; nothing was kept.") from error
    database: Database = state.database
    async with database.transaction() as session:
        made = await actions.import_package(session, state.clock, caller=caller, packaged=stored)
    return ImportRead(records=made)


def _staged(folder: Path) -> BinaryIO:
    """A file without a name: a crash leaves nothing of it."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


async def _receive(request: Request, file: BinaryIO, limit: int) -> None:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise PackageTooLarge(f"At most {limit} bytes are taken; send it in parts.")
        await asyncio.to_thread(file.write, chunk)
    await asyncio.to_thread(file.flush)


def _judged(file: BinaryIO, limit: int) -> tuple[Bag, list[Packaged]]:
    bag = read_bag(file, limit)
    return bag, actions.judge(bag)
