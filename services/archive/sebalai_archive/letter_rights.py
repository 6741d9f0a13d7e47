"""Which letters (naskah dinas) of its agency a reader opens without having a part in them.

The classes are those of records (SKKAAD, Perka ANRI 17/2011), and so is the rule for what is not
yet a declared record: a letter of class rahasia is nobody's by mere membership of the agency.
Whoever has a part in a letter reads it whatever its class; that is each slice's to say.
"""

from sebalai_archive.reader import CLASSES, Reader, SecurityClass


def classes_open(reader: Reader) -> tuple[SecurityClass, ...]:
    """Sangat rahasia is never among them: it takes a part in the letter."""
    if reader.rank in {"head", "policy_maker"}:
        return CLASSES[:3]
    if reader.rank in {"system", "operator"} or reader.is_archivist:
        return CLASSES[:2]
    return CLASSES[:1]
