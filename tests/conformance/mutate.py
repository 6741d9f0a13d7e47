"""Shows that each check can fail: applies its mutation to a copy of sebalai_identity, serves the
copy, runs the check and expects red. Not part of CI: `.venv/bin/python tests/conformance/mutate.py
[part of a check's name, or `bad_input` alone]`. Prints killed/total; exit 1 where one survives.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import asyncpg
import mutate_tests
from mutation_table import PACKAGE, TABLE, mutate
from oidc_checks import everything
from oidc_checks.house import Bell, House
from oidc_checks.registry import CHECKS
from sebalai_local.engines import Engines
from sebalai_shared.testing.database import fresh_database

THROTTLED = "AssertionError: 429 "


@contextmanager
def mutated(copy, file, old, new):
    """The copy of the package with one change."""
    place = copy / file
    place.write_text(mutate(file, old, new))
    yield
    shutil.copy2(PACKAGE / file, place)


async def verdict(house, name, bell):
    """What the check said, or None where it passed. Raises ValueError for a throttled sign-in."""
    await _forget_sign_ins(house.database_url)
    op = await house.provider()
    op.logouts, op.bell = bell.heard, bell
    try:
        await CHECKS[name].run(op)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0][:90]
        if said.startswith(THROTTLED):
            raise ValueError(f"{name}: {said}") from error
        return said
    finally:
        await op.http.aclose()
    return None


async def _forget_sign_ins(url):
    """All come from one network; its limit would turn checks red that no mutation touches."""
    connection = await asyncpg.connect(url)
    await connection.execute("DELETE FROM attempt_count")
    await connection.close()


async def run_all(folder, url, part):
    bell = Bell()
    house = House(folder, url, await bell.open())
    await _all_green(house, bell, part)
    killed, total, copy = 0, 0, folder / "copy"
    shutil.copytree(PACKAGE, copy / "sebalai_identity")
    for file, old, new, checks in TABLE:
        wanted = [name for name in checks if part in name]
        if not wanted:
            continue
        with mutated(copy / "sebalai_identity", file, old, new):
            await house.start(copy)
            for name in wanted:
                said = await verdict(house, name, bell)
                total, killed = total + 1, killed + (said is not None)
                print(f"{'killed  ' if said else 'SURVIVED'} {name}: {file}: {said}", flush=True)
            house.stop()
    await _all_green(house, bell, part)
    await bell.close()
    return killed, total


async def _all_green(house, bell, part):
    """Before and after: what is red without a mutation, or for what others left, shows nothing."""
    await house.start()
    for name in CHECKS:
        if part in name:
            said = await verdict(house, name, bell)
            assert said is None, f"red without a mutation: {name}: {said}"
    house.stop()


async def main(part):
    began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="sebalai-mutate-"))
    folder.chmod(0o711)
    killed, total = 0, 0
    try:
        if part in ("", "bad_input"):
            killed, total = mutate_tests.run(folder)
        if part != "bad_input":
            more = await _modules(folder, part)
            killed, total = killed + more[0], total + more[1]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - began
    print(f"mutations: killed {killed}/{total} ({seconds:.0f} s)")
    return 0 if killed == total else 1


async def _modules(folder, part):
    with Engines.start(folder / "engines", durable=False) as running:
        url = await fresh_database(running.addresses.postgres_admin_url, "mutate", PACKAGE)
        return await run_all(folder, url, part)


if __name__ == "__main__":
    assert everything
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "")))
