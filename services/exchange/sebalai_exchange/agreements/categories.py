"""The kinds of personal data an agreement may be about (UU 27/2022 pasal 4).

Owns the list and which of them are *spesifik*: those need a second approval. Does not own which
fields of an interface are personal; contracts say that.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataCategory:
    """`is_specific`: data pribadi yang bersifat spesifik, pasal 4 ayat (2)."""

    code: str
    title: str
    is_specific: bool
    law: str


_GENERAL = "UU 27/2022 pasal 4 ayat (3)"
_SPECIFIC = "UU 27/2022 pasal 4 ayat (2)"

CATEGORIES: dict[str, DataCategory] = {
    code: DataCategory(code, title, is_specific, f"{_SPECIFIC if is_specific else _GENERAL} {item}")
    for code, title, is_specific, item in (
        ("nama", "Nama lengkap", False, "huruf a"),
        ("jenis-kelamin", "Jenis kelamin", False, "huruf b"),
        ("kewarganegaraan", "Kewarganegaraan", False, "huruf c"),
        ("agama", "Agama", False, "huruf d"),
        ("status-perkawinan", "Status perkawinan", False, "huruf e"),
        ("identitas", "Data yang digabung untuk mengenali orang", False, "huruf f"),
        ("kesehatan", "Data dan informasi kesehatan", True, "huruf a"),
        ("biometrik", "Data biometrik", True, "huruf b"),
        ("genetika", "Data genetika", True, "huruf c"),
        ("catatan-kejahatan", "Catatan kejahatan", True, "huruf d"),
        ("anak", "Data anak", True, "huruf e"),
        ("keuangan-pribadi", "Data keuangan pribadi", True, "huruf f"),
        ("spesifik-lain", "Data spesifik lain menurut undang-undang", True, "huruf g"),
    )
}


def unknown(codes: list[str]) -> list[str]:
    return [code for code in codes if code not in CATEGORIES]


def specific(codes: list[str]) -> list[str]:
    """Those of `codes` that need a second pair of eyes."""
    return [code for code in codes if code in CATEGORIES and CATEGORIES[code].is_specific]
