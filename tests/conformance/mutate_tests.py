"""Runs tests outside the modules against a member with one check taken out of it: `bad_input` of
`mutate.py`. Each must be red there; that it is green otherwise is what CI shows.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mutations_bad_input as bad_input
import sebalai_gateway
import sebalai_identity
from mutation_table import source_of

ROOT = Path(__file__).parents[2]
PACKAGES = {package.__name__: source_of(package) for package in (sebalai_identity, sebalai_gateway)}
RED = 1
SECONDS = 3_600  # beside whatever else the machine does: the run is long and has time


def place_of(file):
    package, _, rest = file.partition("/")
    return PACKAGES[package] / rest


def mutate(file, old, new):
    """The text of the file with the change. Raises ValueError unless `old` is there once."""
    text = place_of(file).read_text()
    if text.count(old) != 1:
        raise ValueError(f"{file}: stands there {text.count(old)} times: {old[:70]}")
    return text.replace(old, new)


def is_red(folder, tests):
    """Raises RuntimeError where they could not be run."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True,
        check=False, timeout=SECONDS,
    )  # fmt: skip
    if done.returncode not in (0, RED):
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return done.returncode == RED


def run(folder, log):
    """One test at a time: each must see it."""
    copy = folder / "members"
    for name, place in PACKAGES.items():
        shutil.copytree(place, copy / name)
    for what, file, old, new, tests in bad_input.MUTATIONS:
        wanted = [test for test in tests if not log.knows("mutation", file, new, test)]
        (copy / file).write_text(mutate(file, old, new))
        for test in wanted:
            if log.is_over():
                return
            red = is_red(copy, [test])
            log.note("red" if red else None, "mutation", file, new, test)
            print(f"{'killed  ' if red else 'SURVIVED'} {what}: {file}: {test}", flush=True)
        shutil.copy2(place_of(file), copy / file)
