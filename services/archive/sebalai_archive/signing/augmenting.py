"""Adds to a signed file what keeps its signature provable, always as an incremental update: the
file as it was declared stays the beginning of every later one, byte for byte.

Trusted time comes as a document timestamp where the signature has none (ETSI EN 319 142-1 allows
either for B-T); then certificates and revocation answers (DSS, B-LT) under a timestamp (B-LTA); and
from then on a new timestamp over it all before the last one's certificate ends.
"""

import asyncio
import io
from collections.abc import Callable, Coroutine

from asn1crypto import cms, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import async_add_validation_info
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError
from sebalai_shared import http
from typing_extensions import override

from sebalai_archive.signing.profiles import (
    certificates_end,
    document_timestamps,
    profile_of,
    time_in,
)
from sebalai_archive.signing.revocation import Bridge, OutsideFetchers
from sebalai_archive.signing.signer import (
    Augmented,
    Augmenting,
    AugmentingFailed,
    TimestampUnavailable,
)
from sebalai_archive.signing.timestamps import DIGEST, Timestamper


class _Bridged(TimeStamper):
    """pyHanko's interface before ours, across the threads."""

    def __init__(self, timestamper: Timestamper, bridge: Bridge) -> None:
        super().__init__()
        self._timestamper, self._bridge = timestamper, bridge

    @override
    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        if md_algorithm != DIGEST:
            raise AugmentingFailed("other-digest", f"timestamps here are over {DIGEST}")
        return await self._bridge.ask(self._timestamper.token(message_digest))


class Augmenter(Augmenting):
    def __init__(
        self, timestamper: Timestamper, roots: list[x509.Certificate], client: http.Client
    ) -> None:
        self._timestamper, self._roots, self._client = timestamper, roots, client

    @override
    async def stamp(self, pdf: bytes) -> Augmented:
        """Trusted time and nothing else: what B-B needs first. Raises as `preserve`."""
        return await self._in_thread(_stamp, pdf)

    @override
    async def preserve(self, pdf: bytes) -> Augmented:
        """One timestamp more over all that validates the signature and the timestamps before it.

        Raises: TimestampUnavailable, AugmentingFailed.
        """
        return await self._in_thread(_preserve, pdf)

    async def _in_thread(self, work: "Work", pdf: bytes) -> Augmented:
        bridge = Bridge(self._client)
        stamper = PdfTimeStamper(_Bridged(self._timestamper, bridge))
        try:
            made = await asyncio.to_thread(
                lambda: asyncio.run(work(pdf, stamper, self._context(bridge)))
            )
        except TimestampUnavailable:
            raise
        except (PathError, ValidationError, SignatureValidationError) as error:
            raise AugmentingFailed("not-validated", str(error)) from error
        except (PdfError, ValueError, IndexError) as error:
            raise AugmentingFailed("unreadable", str(error)) from error
        return described(made)

    def _context(self, bridge: Bridge) -> Callable[[], ValidationContext]:
        return lambda: ValidationContext(
            trust_roots=self._roots,
            allow_fetching=True,
            revocation_mode="hard-fail",
            fetcher_backend=OutsideFetchers(bridge),
        )


Work = Callable[
    [bytes, PdfTimeStamper, Callable[[], ValidationContext]], Coroutine[object, object, bytes]
]


async def _stamp(
    pdf: bytes, stamper: PdfTimeStamper, context: Callable[[], ValidationContext]
) -> bytes:
    del context
    out = await stamper.async_timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), DIGEST)
    return bytes(out.getvalue())


async def _preserve(
    pdf: bytes, stamper: PdfTimeStamper, context: Callable[[], ValidationContext]
) -> bytes:
    reader = PdfFileReader(io.BytesIO(pdf))
    if profile_of(reader) in {"B-B", "B-T"}:
        signature = reader.embedded_regular_signatures[-1]
        out = await async_add_validation_info(signature, context(), add_vri_entry=False)
        reader = PdfFileReader(io.BytesIO(out.getvalue()))
    if document_timestamps(reader):
        out = await stamper.async_update_archival_timestamp_chain(reader, context(), in_place=False)
    else:
        writer = IncrementalPdfFileWriter.from_reader(reader)
        out = await stamper.async_timestamp_pdf(writer, DIGEST, context())
    return bytes(out.getvalue())


def described(pdf: bytes) -> Augmented:
    reader = PdfFileReader(io.BytesIO(pdf))
    last = document_timestamps(reader)[-1].signed_data
    return Augmented(pdf, profile_of(reader), time_in(last), certificates_end(last))
