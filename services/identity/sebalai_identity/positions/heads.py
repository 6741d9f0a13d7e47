"""The head of each agency as a position, inferred from the list of agencies.

Source: the field notes on eselon (Sekda I.b; heads of dinas and badan, inspektur, sekwan II.a;
heads of biro II.b). Where that does not say (satuan, hospitals, UPTD, and two badan that differ by
law) nothing is inferred. The decree is the Perda that founded the structure; its amendments are
unknown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

CODE = "kepala"
DECREE = "Perda 18/2016 (inferred)"
SOURCE = "reference: inferred"
SINCE = datetime(2016, 12, 31, 17, tzinfo=UTC)
"""2017-01-01 in the province: the first year under the Perda."""

# BPBD is headed by the Sekda ex officio (PP 21/2008); a badan penghubung is a rank lower.
DIFFERENT = {"BPBD", "Banhub"}
SECRETARIES = {"Setda": ("Sekretaris Daerah", "jpt_madya", "I.b")}


@dataclass(frozen=True)
class Head:
    short_name: str
    title: str
    kind: str
    eselon: str


def heads(rows: Iterable[Mapping[str, str]]) -> list[Head]:
    """`rows` are those of agencies.csv."""
    found = [_head(row) for row in rows if row["short_name"] not in DIFFERENT]
    return [one for one in found if one is not None]


def _head(row: Mapping[str, str]) -> Head | None:
    short, name = row["short_name"], row["name"]
    if short in SECRETARIES:
        return Head(short, *SECRETARIES[short])
    titles = {
        "sekretariat": (name.replace("Sekretariat", "Sekretaris"), "II.a"),
        "inspektorat": (name.replace("Inspektorat", "Inspektur"), "II.a"),
        "dinas": (f"Kepala {name}", "II.a"),
        "badan": (f"Kepala {name}", "II.a"),
        "biro": (f"Kepala {name}", "II.b"),
    }
    told = titles.get(row["kind"])
    return Head(short, told[0], "jpt_pratama", told[1]) if told is not None else None
