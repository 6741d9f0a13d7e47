"""A sign-in by password, from the form to the session, beside the hash alone: how much of argon2's
own limit is left. Counted in CPU-seconds of the process, its hashing threads included.
"""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

from figures import figure
from sebalai_identity.credentials import store
from sebalai_shared.ids import uuid7
from sqlalchemy import text

ROUNDS, EACH, WARM = 8, 10, 5
PASSWORD, BROWSER = "tepung garam jembatan biru", "b" * 43
CSRF = base64.urlsafe_b64encode(hashlib.sha256(f"sebalai form\x00{BROWSER}".encode()).digest())
PERSON = text(
    "INSERT INTO person (id, name, assurance, source, state, valid_until, version, created_at,"
    " changed_at) VALUES (:id, 'Siti', 1, 'synthetic', 'active', '2100-01-01Z', 1, now(), now())"
)


async def measure(rig: Any, database: Any) -> None:
    """`rig`: as in `identity`. Each person signs in once, from a browser not known before."""
    keeper = rig.app.state.keeper
    stored = await keeper.workers.hash(PASSWORD)
    async with database.transaction() as session:
        for number in range(ROUNDS * EACH + WARM):
            person = uuid7()
            await session.execute(PERSON, {"id": person})
            await store.keep_account(session, person, f"person{number}", None, keeper.clock.now())
            await store.keep_hash(session, person, stored, keeper.clock.now())
    for number in range(WARM):
        await _sign_in(rig, number)
    spent, alone = 0.0, 0.0
    for first in range(WARM, ROUNDS * EACH + WARM, EACH):
        began = time.process_time()
        for number in range(first, first + EACH):
            await _sign_in(rig, number)
        between = time.process_time()
        for _ in range(EACH):
            await keeper.workers.matches(stored, PASSWORD)
        spent, alone = spent + between - began, alone + time.process_time() - between
    figure("identity.password_sign_in", ROUNDS * EACH / spent, "per CPU-second")
    figure("identity.password_sign_in.of_argon2", 100 * alone / spent, "%", ">=", 90)


async def _sign_in(rig: Any, number: int) -> None:
    form = {"login": f"person{number}", "password": PASSWORD, "csrf": CSRF.decode().rstrip("=")}
    status, headers, content = await rig(
        "POST", "/sign-in", form, cookies={"__Host-sebalai-browser": BROWSER}
    )
    assert (status, headers[b"location"]) == (303, b"/my-access"), content
