"""All mutations in one table, and how one is written into a copy of the package."""

from pathlib import Path

import mutations
import mutations_fapi
import mutations_registration
import sebalai_identity


def source_of(package):
    return Path(package.__file__).parent


PACKAGE = source_of(sebalai_identity)
TABLE = [
    *mutations.MUTATIONS,
    *mutations_fapi.MUTATIONS,
    *mutations_registration.MUTATIONS,
]


def mutate(file, old, new):
    """The text of the file with the change. Raises ValueError unless `old` is there once."""
    text = (PACKAGE / file).read_text()
    if text.count(old) != 1:
        raise ValueError(f"{file}: stands there {text.count(old)} times: {old[:70]}")
    return text.replace(old, new)
