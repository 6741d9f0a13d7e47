"""Shows that each check can fail: applies its mutation to a copy of sebalai_identity, serves the
copy, runs the check and expects red. Not part of CI: `.venv/bin/python tests/conformance/mutate.py
[part of a check's name]`. Prints killed/total; exit 1 where one survives or no mutation is named.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from mutation_table import PACKAGE, TABLE, mutate
from oidc_checks import everything
from oidc_checks.house import Bell, House
from oidc_checks.registry import CHECKS
from sebalai_local.engines import Engines
from sebalai_shared.testing.database import fresh_database


@contextmanager
def mutated(copy, file, old, new):
    """The copy of the package with one change."""
    place = copy / file
    place.write_text(mutate(file, old, new))
    yield
    shutil.copy2(PACKAGE / file, place)


async def verdict(house, name, bell):
    """What the check said, or None where it passed."""
    op = await house.provider()
    op.logouts, op.bell = bell.heard, bell
    try:
        await CHECKS[name].run(op)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is red
        return f"{type(error).__name__}: {error}".splitlines()[0][:90]
    finally:
        await op.http.aclose()
    return None


async def run_all(folder, url, part):
    bell = Bell()
    house = House(folder, url, await bell.open())
    await house.start()
    for name in CHECKS:
        if part in name:
            said = await verdict(house, name, bell)
            assert said is None, f"red without a mutation: {name}: {said}"
    house.stop()
    killed, total, named, copy = 0, 0, set(), folder / "copy"
    shutil.copytree(PACKAGE, copy / "sebalai_identity")
    for file, old, new, checks in TABLE:
        wanted = [name for name in checks if part in name]
        if not wanted:
            continue
        with mutated(copy / "sebalai_identity", file, old, new):
            await house.start(copy)
            for name in wanted:
                said = await verdict(house, name, bell)
                total, killed, named = total + 1, killed + (said is not None), named | {name}
                print(f"{'killed  ' if said else 'SURVIVED'} {name}: {file}: {said}", flush=True)
            house.stop()
    await bell.close()
    unnamed = [name for name in CHECKS if part in name and name not in named]
    for name in unnamed:
        print(f"NO MUTATION {name}")
    return killed, total, unnamed


async def main(part):
    began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="sebalai-mutate-"))
    folder.chmod(0o711)
    try:
        with Engines.start(folder / "engines", durable=False) as running:
            url = await fresh_database(running.addresses.postgres_admin_url, "mutate", PACKAGE)
            killed, total, unnamed = await run_all(folder, url, part)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - began
    print(
        f"mutations: killed {killed}/{total}, checks without one: {len(unnamed)} ({seconds:.0f} s)"
    )
    return 0 if killed == total and not unnamed else 1


if __name__ == "__main__":
    assert everything
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "")))
