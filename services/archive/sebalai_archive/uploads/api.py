"""HTTP of resumable uploads, tus 1.0.0: `/v1/uploads`.

The record is named in `Upload-Metadata` (`record_id`); `sha256` (hex) there is checked at the end.
The `Location` is relative, so it holds behind the gateway as well as before it.
"""

import re
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from sebalai_shared.caller import Caller, IdentifiedAccess
from sebalai_shared.database import Database, Transaction
from sebalai_shared.idempotency import KEY_LENGTH_MAX, KeyReused
from sebalai_shared.problems import Conflict, Problem, Unavailable, responses
from starlette.requests import ClientDisconnect

from sebalai_archive.content_store import ContentStore, DigestDiffers, Stored
from sebalai_archive.partials import PartialBusy, PartialDiffers, PartialOver, Partials, Piece
from sebalai_archive.reader import SecurityClass
from sebalai_archive.records.actions import MayNotWrite, RecordDeclared, RecordUnknown
from sebalai_archive.uploads import actions
from sebalai_archive.uploads.actions import TooManyUploads, UploadExpired, UploadUnknown
from sebalai_archive.uploads.model import Upload
from sebalai_archive.uploads.schema import (
    ALGORITHMS,
    EXTENSIONS,
    METADATA_LENGTH_MAX,
    VERSION,
    UploadChecksumInvalid,
    UploadMetadataInvalid,
    checksum_of,
    metadata_of,
)

PIECE_TYPE = "application/offset+octet-stream"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)


class TusVersionUnknown(Problem):
    status, slug, title = 412, "tus-version-unknown", "Tus-Resumable must be 1.0.0"


class UploadTooLarge(Problem):
    status, slug, title = 413, "upload-too-large", "The upload is too large"


class PieceTypeInvalid(Problem):
    status, slug, title = 415, "piece-type-invalid", "A piece has a media type of its own"


class OffsetDiffers(Conflict):
    slug, title = "upload-offset-differs", "The piece does not begin where the upload stands"


class UploadBusy(Problem):
    status, slug, title = 423, "upload-busy", "Another request writes to this upload"


class ChecksumMismatch(Problem):
    """460 is tus's own number."""

    status, slug, title = 460, "upload-checksum-mismatch", "The piece differs from its checksum"


class UploadMismatch(Problem):
    status, slug, title = 400, "digest-mismatch", "The content differs from its digest"


class UploadUnavailable(Unavailable):
    slug, title = "content-store-unavailable", "The content cannot be stored for the moment"


async def _tus(request: Request, response: Response) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise TusVersionUnknown("Send Tus-Resumable: 1.0.0.", headers={"Tus-Version": VERSION})
    response.headers["Tus-Resumable"] = VERSION


Tus = Depends(_tus)
router = APIRouter(prefix="/v1/uploads", tags=["uploads"])


@router.options("", status_code=204)
async def tell_tus(request: Request, response: Response, caller: IdentifiedAccess) -> None:  # noqa: ARG001 - the door asks who
    limit = request.app.state.content.bytes_limit
    response.headers.update(
        {
            "Tus-Resumable": VERSION,
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(limit),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        }
    )


@dataclass(frozen=True)
class _Beginning:
    """The headers that begin an upload."""

    length: int
    metadata: str
    key: str | None

    def wanted(self) -> tuple[UUID, Upload]:
        """The record's id and the upload. Raises `UploadMetadataInvalid`."""
        named = metadata_of(self.metadata)
        sha256 = named.get("sha256") or None
        if sha256 is not None and not _SHA256.fullmatch(sha256):
            raise UploadMetadataInvalid("sha256 must be 64 hexadecimal digits.")
        try:
            record_id = UUID(named.get("record_id", ""))
        except ValueError as error:
            raise UploadMetadataInvalid("record_id must name a draft record.") from error
        media_type = named.get("filetype") or "application/octet-stream"
        if not _MEDIA_TYPE.fullmatch(media_type):
            raise UploadMetadataInvalid("filetype must be a media type such as application/pdf.")
        return record_id, Upload(
            length=self.length,
            sha256=sha256,
            media_type=media_type,
            metadata_text=self.metadata,
            begun_key=self.key,
        )


async def _beginning(
    upload_length: Annotated[int, Header(ge=0)],
    upload_metadata: Annotated[str, Header(max_length=METADATA_LENGTH_MAX)],
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=KEY_LENGTH_MAX)] = None,
) -> _Beginning:
    return _Beginning(upload_length, upload_metadata, idempotency_key)


@router.post(
    "",
    status_code=201,
    dependencies=[Tus],
    responses=responses(
        UploadMetadataInvalid,
        RecordUnknown,
        MayNotWrite,
        RecordDeclared,
        TusVersionUnknown,
        UploadTooLarge,
        TooManyUploads,
        KeyReused,
    ),
)
async def begin_upload(
    request: Request,
    response: Response,
    caller: IdentifiedAccess,
    session: Transaction,
    beginning: Annotated[_Beginning, Depends(_beginning)],
) -> None:
    """An Idempotency-Key is welcome, not required: clients of the protocol know none, and an
    upload begun twice expires.
    """
    limit = request.app.state.content.bytes_limit
    if beginning.length > limit:
        raise UploadTooLarge(f"At most {limit} bytes are taken; split it into more records.")
    record_id, wanted = beginning.wanted()
    upload = await actions.begin_upload(
        session,
        request.app.state.clock,
        caller=caller,
        record_id=record_id,
        wanted=wanted,
        keys=request.app.state.content.keys,
    )
    partials: Partials = request.app.state.partials
    await partials.create(upload.id)
    response.headers["Location"] = f"uploads/{upload.id}"
    response.headers["Upload-Expires"] = _expires(upload)


def _expires(upload: Upload) -> str:
    return format_datetime(upload.expires_at, usegmt=True)


@router.head(
    "/{upload_id}",
    dependencies=[Tus],
    responses=responses(UploadUnknown, UploadExpired, TusVersionUnknown),
)
async def tell_offset(
    request: Request,
    response: Response,
    upload_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
) -> None:
    clock = request.app.state.clock
    upload = await actions.find_upload(session, clock, caller=caller, upload_id=upload_id)
    response.headers.update(
        {
            "Upload-Offset": str(upload.received),
            "Upload-Length": str(upload.length),
            "Upload-Metadata": upload.metadata_text,
            "Upload-Expires": _expires(upload),
            "Cache-Control": "no-store",
        }
    )


@router.delete(
    "/{upload_id}",
    status_code=204,
    dependencies=[Tus],
    responses=responses(UploadUnknown, UploadExpired, TusVersionUnknown),
)
async def end_upload(
    request: Request, upload_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> None:
    clock = request.app.state.clock
    await actions.end_upload(session, clock, caller=caller, upload_id=upload_id)
    await request.app.state.partials.remove(upload_id)


class _Taking:
    """One PATCH: short transactions around the stream, none while bytes are coming."""

    def __init__(self, request: Request, caller: Caller, upload_id: UUID) -> None:
        self.request, self.caller, self.upload_id = request, caller, upload_id
        self.database: Database = request.app.state.database
        self.clock = request.app.state.clock
        self.partials: Partials = request.app.state.partials
        self.store: ContentStore = request.app.state.content

    async def upload(self) -> Upload:
        async with self.database.transaction() as session:
            return await actions.find_upload(
                session, self.clock, caller=self.caller, upload_id=self.upload_id
            )

    async def counted(self, received: int) -> None:
        async with self.database.transaction() as session:
            await actions.count_received(
                session, caller=self.caller, upload_id=self.upload_id, received=received
            )

    async def take(self, offset: int, checksum: str | None) -> Upload:
        """The count is read again under the file's lock: a request before may still be ending."""
        key = actions.key_of(await self.upload(), self.store.keys)
        wanted = checksum_of(checksum)
        async with self.partials.writing(self.upload_id, key) as file:
            upload = await self.upload()
            if offset != upload.received:
                raise OffsetDiffers(
                    f"Ask by HEAD; it stands at {upload.received}.",
                    headers={"Upload-Offset": str(upload.received)},
                )
            piece = Piece(file, upload.received, upload.length, self.counted)
            chunks = self.request.stream()
            if wanted is None:
                await piece.take(chunks)
            else:
                await piece.take_checked(chunks, wanted.algorithm, wanted.digest)
            upload = await self.upload()
            if upload.received == upload.length and upload.finished_sha256 is None:
                upload = await self.finish(upload, key)
        return upload

    async def finish(self, upload: Upload, key: bytes | None) -> Upload:
        async with self.database.transaction() as session:
            security_class = await actions.class_of(
                session, self.clock, caller=self.caller, upload=upload
            )
        stored = await self.keep(upload, key, security_class)
        async with self.database.transaction() as session:
            done = await actions.finish_upload(
                session, self.clock, caller=self.caller, upload_id=upload.id, stored=stored
            )
        await self.partials.remove(upload.id)
        return done

    async def keep(
        self, upload: Upload, key: bytes | None, security_class: SecurityClass
    ) -> Stored:
        """Raises: as `ContentStore.put`."""
        if key is None:
            path = self.partials.path(upload.id)
            return await self.store.adopt(path, upload.sha256, security_class)
        expected = bytes.fromhex(upload.sha256) if upload.sha256 is not None else None
        pieces = self.partials.opened(upload.id, key, upload.length)
        return await self.store.put(pieces, expected, security_class)


@router.patch(
    "/{upload_id}",
    status_code=204,
    dependencies=[Tus],
    responses=responses(
        UploadUnknown,
        UploadExpired,
        UploadChecksumInvalid,
        OffsetDiffers,
        UploadTooLarge,
        PieceTypeInvalid,
        UploadBusy,
        ChecksumMismatch,
        TusVersionUnknown,
        UploadUnavailable,
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {PIECE_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def take_piece(
    request: Request,
    response: Response,
    upload_id: UUID,
    caller: IdentifiedAccess,
    upload_offset: Annotated[int, Header(ge=0)],
    upload_checksum: Annotated[str | None, Header(max_length=200)] = None,
) -> None:
    """Takes what comes from `Upload-Offset` on; the last byte makes it the record's content."""
    if request.headers.get("content-type") != PIECE_TYPE:
        raise PieceTypeInvalid(f"Send Content-Type: {PIECE_TYPE}.")
    taking = _Taking(request, caller, upload_id)
    try:
        upload = await taking.take(upload_offset, upload_checksum)
    except PartialBusy as error:
        raise UploadBusy("Wait, ask by HEAD, go on from there.") from error
    except PartialOver as error:
        raise UploadTooLarge("More bytes came than Upload-Length announced.") from error
    except PartialDiffers as error:
        raise ChecksumMismatch("None of it counts; send it again.") from error
    except DigestDiffers as error:
        raise UploadMismatch("The whole differs from the sha256 announced; begin anew.") from error
    except ClientDisconnect:
        return
    except FileNotFoundError as error:
        raise UploadExpired("Its bytes are gone; begin anew.") from error
    except OSError as error:
        raise UploadUnavailable("The store did not take it. Try later.") from error
    response.headers["Upload-Offset"] = str(upload.received)
    response.headers["Upload-Expires"] = _expires(upload)
