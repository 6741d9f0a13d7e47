"""Whether certificates were revoked: CRL (RFC 5280) and OCSP (RFC 6960), over the archive's own
bounded client, for pyHanko, which works in a thread with a loop of its own.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from typing import TypeVar

from asn1crypto import cms, crl, ocsp, x509
from pyhanko_certvalidator.authority import Authority
from pyhanko_certvalidator.errors import CRLFetchError, OCSPFetchError
from pyhanko_certvalidator.fetchers import (
    CertificateFetcher,
    CRLFetcher,
    FetcherBackend,
    Fetchers,
    OCSPFetcher,
)
from pyhanko_certvalidator.fetchers.common_utils import (
    enumerate_delivery_point_urls,
    format_ocsp_request,
    process_ocsp_response_data,
)
from pyhanko_certvalidator.util import get_ocsp_urls, get_relevant_crl_dps
from sebalai_shared import http
from typing_extensions import override

from sebalai_archive.signing.outside import ANSWER_BYTES_LIMIT, post, within

FETCHES_MAX = 20  # for one file: its chains have a handful of certificates
URLS_MAX = 3  # of one certificate
OCSP_HEADERS = {
    "Content-Type": "application/ocsp-request",
    "Accept": "application/ocsp-response",
}

Certificate = x509.Certificate | cms.AttributeCertificateV2
T = TypeVar("T")


class Bridge:
    """Made in the loop that owns the client; `ask` is awaited in the loop of another thread."""

    def __init__(self, client: http.Client) -> None:
        self.client, self._loop, self._left = client, asyncio.get_running_loop(), FETCHES_MAX

    async def ask(self, coroutine: Coroutine[object, object, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

    async def get(self, url: str) -> bytes:
        """Raises: http.Error."""
        done = self.client.fetch(self._counted(url), limit=ANSWER_BYTES_LIMIT)
        answer = await self.ask(within(done))
        return answer.raise_for_status().content

    async def send(self, url: str, content: bytes) -> bytes:
        """Raises: http.Error."""
        done = post(self.client, self._counted(url), content, headers=OCSP_HEADERS)
        return (await self.ask(within(done)))[1]

    def _counted(self, url: str) -> str:
        self._left -= 1
        if self._left < 0:
            raise http.Error("this file asks for too many revocation lists")
        return url


class Lists(CRLFetcher):
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._found: dict[bytes, list[crl.CertificateList]] = {}

    @override
    async def fetch(
        self, cert: Certificate, *, use_deltas: bool | None = None
    ) -> Iterable[crl.CertificateList]:
        key = cert.dump()
        if key not in self._found:
            points = get_relevant_crl_dps(cert, use_deltas=bool(use_deltas))
            urls = [url for point in points for url in enumerate_delivery_point_urls(point)]
            self._found[key] = [await self._one(url) for url in urls[:URLS_MAX]]
        return self._found[key]

    async def _one(self, url: str) -> crl.CertificateList:
        try:
            return crl.CertificateList.load(await self._bridge.get(url), strict=True)
        except (http.Error, ValueError) as error:
            raise CRLFetchError(f"no revocation list from {url}") from error

    @override
    def fetched_crls(self) -> Iterable[crl.CertificateList]:
        return [one for found in self._found.values() for one in found]

    @override
    def fetched_crls_for_cert(self, cert: Certificate) -> Iterable[crl.CertificateList]:
        return self._found[cert.dump()]


class Statuses(OCSPFetcher):
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._found: dict[tuple[bytes, object], ocsp.OCSPResponse] = {}

    @override
    async def fetch(self, cert: Certificate, authority: Authority) -> ocsp.OCSPResponse:
        key = (cert.dump(), authority.hashable)
        if key not in self._found:
            self._found[key] = await self._ask(cert, authority)
        return self._found[key]

    async def _ask(self, cert: Certificate, authority: Authority) -> ocsp.OCSPResponse:
        if not isinstance(cert, x509.Certificate):
            raise OCSPFetchError("attribute certificates are not asked about")
        asked = format_ocsp_request(cert, authority, certid_hash_algo="sha1", request_nonces=True)
        for url in get_ocsp_urls(cert)[:URLS_MAX]:
            try:
                answer = await self._bridge.send(url, asked.dump())
                return process_ocsp_response_data(answer, ocsp_request=asked, ocsp_url=url)
            except (http.Error, ValueError):
                continue
        raise OCSPFetchError("no OCSP responder gave an answer")

    @override
    def fetched_responses(self) -> Iterable[ocsp.OCSPResponse]:
        return list(self._found.values())

    @override
    def fetched_responses_for_cert(self, cert: Certificate) -> Iterable[ocsp.OCSPResponse]:
        return [found for (known, _), found in self._found.items() if known == cert.dump()]


class NoIssuers(CertificateFetcher):
    """Certificates come with the signature; addresses inside certificates are not followed."""

    @override
    async def fetch_cert_issuers(self, cert: Certificate) -> AsyncGenerator[x509.Certificate]:
        for one in ():
            yield one

    @override
    async def fetch_crl_issuers(
        self, certificate_list: crl.CertificateList
    ) -> AsyncGenerator[x509.Certificate]:
        for one in ():
            yield one

    @override
    def fetched_certs(self) -> Iterable[x509.Certificate]:
        return ()


class OutsideFetchers(FetcherBackend):
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    @override
    def get_fetchers(self) -> Fetchers:
        return Fetchers(Statuses(self._bridge), Lists(self._bridge), NoIssuers())
