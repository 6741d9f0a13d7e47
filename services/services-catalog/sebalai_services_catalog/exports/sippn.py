"""Services in the shape of SIPPN's public entries (Sistem Informasi Pelayanan Publik Nasional).

The 14 components of UU 25/2009 article 21 as columns in the annex's order (PermenPANRB 15/2014).
SIPPN has no published format for import: this is shaped after what its pages show, and not
certified by anybody. Words are Indonesian, because those who read it work with them.
"""

import codecs
from collections.abc import Sequence

from pydantic import BaseModel
from sebalai_shared import spreadsheets

from sebalai_services_catalog.exports.cpsv import CHANNELS, Entry, Known
from sebalai_services_catalog.exports.points import in_words
from sebalai_services_catalog.services.actions import Charge, Fee, Standard

SHAPE = (
    "Menyerupai isian SIPPN dan 14 komponen UU 25/2009; bukan format resmi, tidak disertifikasi."
)
_UNITS = {"minutes": "menit", "hours": "jam", "days": "hari", "working_days": "hari kerja"}
_STARTS = {"submitted": "sejak diajukan", "verified": "sejak berkas lengkap"}


class SippnRow(BaseModel):
    """`status_data` is how sure the row is; only `verified` was seen at the agency."""

    kode: str
    nama_layanan: str
    ringkasan: str
    penyelenggara: str
    nomor_sk: str
    tanggal_sk: str
    kanal: str
    versi: int
    persyaratan: str
    sistem_mekanisme_prosedur: str
    jangka_waktu_penyelesaian: str
    biaya_tarif: str
    produk_pelayanan: str
    penanganan_pengaduan: str
    dasar_hukum: str
    sarana_prasarana_fasilitas: str
    kompetensi_pelaksana: str
    pengawasan_internal: str
    jumlah_pelaksana: str
    jaminan_pelayanan: str
    jaminan_keamanan_keselamatan: str
    evaluasi_kinerja: str
    titik_layanan: str
    status_data: str
    sumber_data: str
    catatan_bentuk: str


class SippnShaped(BaseModel):
    """`berikutnya`: the address of the next page."""

    bentuk: str
    layanan: list[SippnRow]
    berikutnya: str | None


def sheet(rows: Sequence[SippnRow]) -> bytes:
    """UTF-8 with a byte order mark, or Excel reads it in another encoding."""
    dumped = (row.model_dump() for row in rows)
    text = spreadsheets.sheet(list(SippnRow.model_fields), dumped)
    return codecs.BOM_UTF8 + text.encode()


def row(entry: Entry, known: Known) -> SippnRow:
    standard, decree = entry.standard, entry.standard.decree
    return SippnRow(
        kode=entry.slug,
        nama_layanan=entry.name[0],
        ringkasan=entry.summary[0],
        penyelenggara=known.agencies.get(entry.agency, entry.agency),
        nomor_sk=decree.number if decree else "",
        tanggal_sk=decree.signed_on.isoformat() if decree else "",
        kanal="; ".join(CHANNELS.get(one, one) for one in standard.channels),
        versi=entry.version,
        **_delivery(standard),
        **_manufacturing(standard, known),
        titik_layanan=in_words(standard.points, known.regions),
        status_data=entry.provenance[0],
        sumber_data=entry.provenance[1],
        catatan_bentuk=SHAPE,
    )


def _delivery(standard: Standard) -> dict[str, str]:
    """Components 1 to 6."""
    steps = enumerate(standard.procedure or [], 1)
    product, complaints = standard.product, standard.complaints
    return {
        "persyaratan": "; ".join(one.name.id for one in standard.requirements or []),
        "sistem_mekanisme_prosedur": "; ".join(f"{n}. {step.what.id}" for n, step in steps),
        "jangka_waktu_penyelesaian": _time(standard),
        "biaya_tarif": _fee(standard.fee),
        "produk_pelayanan": product.name.id if product else "",
        "penanganan_pengaduan": "; ".join(complaints.channels) if complaints else "",
    }


def _manufacturing(standard: Standard, known: Known) -> dict[str, str]:
    """Components 7 to 14."""
    laws = [known.laws[key] for key in standard.legal_basis or [] if key in known.laws]
    named = [f"{law.kind.upper()} {law.number}/{law.year} {law.title}" for law in laws]
    facilities, evaluation = standard.facilities, standard.evaluation
    return {
        "dasar_hukum": "; ".join(named),
        "sarana_prasarana_fasilitas": facilities.text if facilities else "",
        "kompetensi_pelaksana": standard.competence or "",
        "pengawasan_internal": standard.internal_control or "",
        "jumlah_pelaksana": str(standard.staff_count or ""),
        "jaminan_pelayanan": standard.guarantee or "",
        "jaminan_keamanan_keselamatan": standard.safety or "",
        "evaluasi_kinerja": evaluation.text if evaluation else "",
    }


def _time(standard: Standard) -> str:
    promise = standard.duration
    if promise is None:
        return ""
    return f"{promise.value} {_UNITS[promise.unit]} {_STARTS[promise.starts]}"


def _fee(fee: Fee | None) -> str:
    if fee is None:
        return ""
    others = [f"{CHANNELS[kind]}: {_charge(one)}" for kind, one in fee.channels.items()]
    return "; ".join([_charge(fee), *others])


def _charge(charge: Charge) -> str:
    if charge.kind == "free":
        return "Gratis"
    if charge.kind == "fixed":
        return f"Rp{charge.rupiah or 0:,}".replace(",", ".")
    return charge.formula or ""
