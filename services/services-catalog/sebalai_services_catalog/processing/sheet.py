"""The register as one sheet, for who has to show it: services and agreements, a line each."""

import codecs
from collections.abc import Iterable

from sebalai_shared import spreadsheets

from sebalai_services_catalog.processing.schema import ActivityRead, DisclosureRead

COLUMNS = (
    "jenis", "kegiatan", "pengendali", "tujuan", "dasar_pemrosesan", "dasar_hukum",
    "subjek_data", "data", "kategori_data", "penerima", "retensi", "belum_ada", "status_data",
)  # fmt: skip
BASES = {"public_duty": "tugas pelayanan publik", "consent": "persetujuan"}
_APART = ", "


def sheet(activities: Iterable[ActivityRead], disclosures: Iterable[DisclosureRead]) -> bytes:
    """UTF-8 with a byte order mark, or Excel reads it in another encoding."""
    rows = [*map(_activity, activities), *map(_disclosure, disclosures)]
    return codecs.BOM_UTF8 + spreadsheets.sheet(COLUMNS, rows).encode()


def _activity(one: ActivityRead) -> dict[str, str]:
    laws = dict.fromkeys(law for purpose in one.purposes for law in purpose.laws)
    bases = dict.fromkeys(BASES[purpose.basis] for purpose in one.purposes)
    categories = dict.fromkeys(code for data in one.data for code in data.categories)
    return {
        "jenis": "layanan",
        "kegiatan": one.name,
        "pengendali": one.controller_name,
        "tujuan": _APART.join(purpose.code for purpose in one.purposes),
        "dasar_pemrosesan": _APART.join(bases),
        "dasar_hukum": _APART.join(laws),
        "subjek_data": _APART.join(one.subjects),
        "data": _APART.join(data.name for data in one.data),
        "kategori_data": _APART.join(categories),
        "penerima": _APART.join(recipient.agency for recipient in one.recipients),
        "retensi": one.retention.archive_code or "",
        "belum_ada": _APART.join(one.lacking),
        "status_data": one.provenance.status,
    }


def _disclosure(one: DisclosureRead) -> dict[str, str]:
    return {
        "jenis": "perjanjian",
        "kegiatan": one.interface,
        "pengendali": one.owner,
        "tujuan": _APART.join(one.purposes),
        "dasar_pemrosesan": "perjanjian",
        "kategori_data": _APART.join(one.data_categories),
        "penerima": one.consumer,
        "retensi": f"sampai {one.valid_until.date().isoformat()}",
    }
