"""HTTP of official lists: `/v1/lists/{kind}`, as CSV or Excel."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import responses

from sebalai_archive.codes import Code
from sebalai_archive.lists import actions
from sebalai_archive.lists.actions import ListTooLarge
from sebalai_archive.lists.kinds import TITLES, Kind, columns_of
from sebalai_archive.lists.rows import Cell
from sebalai_archive.lists.sheets import CsvSheet, ExcelSheet, Sheet
from sebalai_archive.retention.actions import civil_date

router = APIRouter(prefix="/v1/lists", tags=["lists"])

CHUNK_BYTES = 64 * 1024
AT_ONCE = 2  # lists a process makes; the next ones wait their turn
Format = Literal["csv", "xlsx"]
BINARY = {"schema": {"type": "string", "format": "binary"}}


class ListAsk(BaseModel):
    format: Format = "csv"
    classification: Annotated[Code | None, Field(description="the code, and all below it")] = None
    file_unit: UUID | None = None


@router.get(
    "/{kind}",
    response_class=StreamingResponse,
    responses={
        **responses(ListTooLarge),
        200: {
            "description": "One row a record, in the order of the classification",
            "content": {"text/csv": {"schema": {"type": "string"}}, ExcelSheet.media_type: BINARY},
        },
    },
)
async def make_list(
    request: Request,
    kind: Kind,
    caller: IdentifiedAccess,
    session: Transaction,
    asked: Annotated[ListAsk, Query()],
) -> StreamingResponse:
    """The list as it stands at one moment: made on disk first, so a slow reader holds nothing."""
    state = request.app.state
    rows = actions.rows_of(
        session, state.clock, caller=caller, kind=kind,
        narrowed=(asked.classification, asked.file_unit),
    )  # fmt: skip
    folder, now = state.settings.content_dir / "lists", state.clock.now()
    async with state.lists:
        file, media_type = await _made(rows, folder, (kind, asked.format, now))
    name = f"{kind}-{caller.agency}-{civil_date(now)}.{asked.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_sent(file), media_type=media_type, headers=headers)


async def _made(
    rows: AsyncGenerator[list[Sequence[Cell]]],
    folder: Path,
    what: tuple[Kind, Format, datetime],
) -> tuple[BinaryIO, str]:
    """A file without a name, read from its beginning, and its media type."""
    with ExitStack() as unfinished:
        file = unfinished.enter_context(await asyncio.to_thread(_staged, folder))
        with tempfile.TemporaryDirectory(dir=folder) as parts:
            sheet = _sheet(file, what, Path(parts))
            async for batch in rows:
                await asyncio.to_thread(sheet.add, batch)
            await asyncio.to_thread(sheet.close)
        unfinished.pop_all()
    file.seek(0)
    return file, sheet.media_type


def _sheet(file: BinaryIO, what: tuple[Kind, Format, datetime], parts: Path) -> Sheet:
    kind, form, now = what
    if form == "csv":
        return CsvSheet(file, columns_of(kind))
    return ExcelSheet(file, columns_of(kind), (TITLES[kind], now, parts))


def _staged(folder: Path) -> BinaryIO:
    """A crash leaves nothing of it."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


async def _sent(file: BinaryIO) -> AsyncGenerator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
