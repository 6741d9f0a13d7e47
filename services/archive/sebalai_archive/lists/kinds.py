"""Which official lists there are, and their columns, in the words of the offices that use them.

Headings are those of the registers for dynamic records (Peraturan ANRI 9/2018, from general
knowledge: the text was not seen); a province may order its own columns from the same facts.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "active", "inactive", "vital", "terjaga", "file-units", "file-unit-contents",
    "proposed-transfer", "proposed-destruction", "proposed-handover", "proposed-appraisal",
    "destroyed", "handed-over",
]  # fmt: skip

TITLES: dict[Kind, str] = {
    "active": "Daftar arsip aktif",
    "inactive": "Daftar arsip inaktif",
    "vital": "Daftar arsip vital",
    "terjaga": "Daftar arsip terjaga",
    "file-units": "Daftar berkas",
    "file-unit-contents": "Daftar isi berkas",
    "proposed-transfer": "Daftar arsip usul pindah",
    "proposed-destruction": "Daftar arsip usul musnah",
    "proposed-handover": "Daftar arsip usul serah",
    "proposed-appraisal": "Daftar arsip usul dinilai kembali",
    "destroyed": "Daftar arsip yang dimusnahkan",
    "handed-over": "Daftar arsip yang diserahkan",
}
ACTS: dict[Kind, str] = {
    "proposed-transfer": "transfer",
    "proposed-destruction": "destroy",
    "proposed-handover": "hand_over",
    "proposed-appraisal": "appraise",
}


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in characters; it also says which cell of a row the column is, by its name."""

    name: str
    heading: str
    width: int = 14


RECORD_COLUMNS = (
    Column("file_number", "Nomor berkas"),
    Column("number", "Nomor arsip", 24),
    Column("classification", "Kode klasifikasi"),
    Column("title", "Uraian informasi", 60),
    Column("description", "Isi ringkas", 40),
    Column("dated", "Tanggal"),
    Column("development_level", "Tingkat perkembangan"),
    Column("amount", "Jumlah", 8),
    Column("medium", "Media"),
    Column("condition", "Kondisi"),
    Column("unit", "Unit pencipta", 20),
    Column("location", "Lokasi simpan", 20),
    Column("security_class", "Tingkat keamanan"),
    Column("protection", "Kategori"),
    Column("active_until", "Aktif sampai"),
    Column("inactive_until", "Inaktif sampai"),
    Column("kept_years", "Jangka simpan (tahun)", 18),
    Column("fate", "Nasib akhir"),
    Column("exception", "Keterangan", 30),
    Column("id", "Pengenal", 40),
)
PROPOSAL_COLUMNS = (
    Column("approver", "Persetujuan", 26),
    Column("proposed_at", "Diusulkan"),
)
FILE_UNIT_COLUMNS = (
    Column("number", "Nomor berkas"),
    Column("classification", "Kode klasifikasi"),
    Column("title", "Uraian berkas", 60),
    Column("period", "Kurun waktu", 24),
    Column("amount", "Jumlah arsip", 12),
    Column("unit", "Unit pencipta", 20),
    Column("security_class", "Tingkat keamanan"),
    Column("opened_at", "Dibuka"),
    Column("closed_at", "Ditutup"),
    Column("id", "Pengenal", 40),
)
PLACE = Column("place", "No.", 7)


def columns_of(kind: Kind) -> tuple[Column, ...]:
    """A running number first, then the facts."""
    if kind == "file-units":
        return (PLACE, *FILE_UNIT_COLUMNS)
    if kind in ACTS:
        return (PLACE, *RECORD_COLUMNS, *PROPOSAL_COLUMNS)
    return (PLACE, *RECORD_COLUMNS)
