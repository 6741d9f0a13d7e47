"""Sends logout notices to clients: claimed in one transaction, sent outside of any, three tries."""

import asyncio
import logging
from collections.abc import Callable

from sebalai_shared import http
from sebalai_shared.database import Database
from sqlalchemy.exc import SQLAlchemyError

from sebalai_identity.grants.actions import told
from sebalai_identity.oauth.backchannel import Notice, claim
from sebalai_identity.oauth.desk import Desk

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
NOTICE_SECONDS = 5.0  # in all: one slow client must not hold back the others' notices
NOTICE_ANSWER_BYTES_MAX = 64 * 1024


class LogoutNotices:
    """`desk_of` makes a desk for a transaction; `beat` is called in every pass."""

    def __init__(
        self,
        database: Database,
        client: http.Client,
        desk_of: Callable[..., Desk],
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._database, self._client = database, client
        self._desk_of, self._beat = desk_of, beat

    async def run(self) -> None:
        """Runs until cancelled; survives a database that comes and goes."""
        while True:
            self._beat()
            try:
                await self.send_once()
            except (SQLAlchemyError, OSError) as error:
                log.warning("logout notices wait: %s", error)
            await asyncio.sleep(POLL_SECONDS)

    async def send_once(self) -> int:
        """How many arrived."""
        async with self._database.transaction() as session:
            notices = await claim(self._desk_of(session))
        arrived = await asyncio.gather(*(self._send(notice) for notice in notices))
        return sum(arrived)

    async def _send(self, notice: Notice) -> bool:
        try:
            async with asyncio.timeout(NOTICE_SECONDS):
                answer = await self._client.fetch(
                    notice.address,
                    method="POST",
                    limit=NOTICE_ANSWER_BYTES_MAX,
                    data={"logout_token": notice.token},
                )
        except (http.Error, TimeoutError) as error:
            log.info("client %s did not hear of a logout: %r", notice.client_id, error)
            return False
        if answer.status_code not in (200, 204):
            log.info("client %s answers a logout with %d", notice.client_id, answer.status_code)
            return False
        async with self._database.transaction() as session:
            await told(session, session_id=notice.session_id, client_id=notice.client_id)
        return True
