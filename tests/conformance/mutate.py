"""Shows that each check can fail: applies its mutation to a copy of sebalai_identity, serves the
copy, runs the check and expects red. Not part of CI: `.venv/bin/python tests/conformance/mutate.py
[part of a check's name, or `bad_input` alone]`. Prints killed/total; exit 1 where one survives. With
`--log FILE --seconds 300` it stops and, started again, goes on; the last prints the sum.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import asyncpg
import httpx
import mutate_tests
import mutations_bad_input as bad_input
from mutation_log import Log
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
    """What the check said, or None where it passed. Raises ValueError for a throttled sign-in, and
    `httpx.TimeoutException`: a machine too slow for a check judges nothing.
    """
    await _forget_sign_ins(house.database_url)
    op = await house.provider()
    op.logouts, op.bell = bell.heard, bell
    try:
        await CHECKS[name].run(op)
    except httpx.TimeoutException:
        raise
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


async def run_all(folder, url, part, log):
    bell = Bell()
    house = House(folder, url, await bell.open())
    await _all_green(house, bell, [name for name in CHECKS if part in name], log)
    copy, judged = folder / "copy", set()
    shutil.copytree(PACKAGE, copy / "sebalai_identity")
    for file, old, new, checks in TABLE:
        named = [name for name in checks if part in name]
        wanted = [name for name in named if not log.knows("mutation", file, new, name)]
        if not wanted or log.is_over():
            continue
        with mutated(copy / "sebalai_identity", file, old, new):
            await house.start(copy)
            for name in wanted:
                said = await verdict(house, name, bell)
                log.note(said, "mutation", file, new, name)
                print(f"{'killed  ' if said else 'SURVIVED'} {name}: {file}: {said}", flush=True)
            house.stop()
        judged.update(wanted)
    await _all_green(house, bell, judged, Log())
    await bell.close()


async def _all_green(house, bell, names, log):
    """Before and after: what is red without a mutation, or for what others left, shows nothing."""
    await house.start()
    for name in names:
        if not log.knows("green", name) and not log.is_over():
            said = await verdict(house, name, bell)
            assert said is None, f"red without a mutation: {name}: {said}"
            log.note(None, "green", name)
    house.stop()


async def main(part, log):
    began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="sebalai-mutate-"))
    folder.chmod(0o711)
    try:
        if part in ("", "bad_input"):
            mutate_tests.run(folder, log)
        if part != "bad_input":
            await _modules(folder, part, log)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    (killed, total), seconds = log.count(standing()), time.monotonic() - began
    left = "" if log.is_whole else ", and some are left: run it again"
    print(f"mutations: killed {killed}/{total} ({seconds:.0f} s){left}")
    return 0 if log.is_whole and killed == total else 1


def standing():
    """Every mutation of the tables with each check that must see it, as the log names them."""
    rows = [(file, new, checks) for file, _, new, checks in TABLE]
    rows += [(file, new, tests) for _, file, _, new, tests in bad_input.MUTATIONS]
    return {("mutation", file, new, name) for file, new, names in rows for name in names}


async def _modules(folder, part, log):
    with Engines.start(folder / "engines", durable=False) as running:
        url = await fresh_database(running.addresses.postgres_admin_url, "mutate", PACKAGE)
        await run_all(folder, url, part, log)


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", default="", help="part of a check's name, or bad_input")
    parser.add_argument("--log", type=Path, help="goes on from what this file holds")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="stop after about so many"
    )
    return parser.parse_args()


if __name__ == "__main__":
    assert everything
    given = _arguments()
    sys.exit(asyncio.run(main(given.part, Log(given.log, given.seconds))))
