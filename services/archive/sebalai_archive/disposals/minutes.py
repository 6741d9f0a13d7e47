"""The minutes (berita acara) of an executed disposal, as text to be signed and filed."""

from collections.abc import Sequence

from sebalai_archive.disposals.model import Disposal, DisposalAct, DisposalItem
from sebalai_archive.retention.actions import civil_date

TITLES = {
    "transfer": "BERITA ACARA PEMINDAHAN ARSIP INAKTIF",
    "destruction": "BERITA ACARA PEMUSNAHAN ARSIP",
    "handover": "BERITA ACARA PENYERAHAN ARSIP STATIS",
}
METHODS = {
    "transfer": "pindah penguasaan",
    "destruction": "hapus elektronik",
    "handover": "serah",
}
AUTHORITIES = {
    "anri_head": "Kepala ANRI",
    "governor": "Gubernur",
    "archive_head": "Kepala Lembaga Kearsipan Daerah",
}


def minutes_of(
    disposal: Disposal, items: Sequence[DisposalItem], acts: Sequence[DisposalAct]
) -> str:
    """Indonesian text; raises `ValueError` for a disposal that was not executed."""
    if disposal.executed_at is None:
        raise ValueError("not executed")
    evidence = {slot: record for act in acts for slot, record in act.evidence.items()}
    lines = [
        TITLES[disposal.kind],
        "",
        f"Nomor perkara: {disposal.id}",
        f"Perangkat daerah: {disposal.agency}",
        f"Tanggal: {civil_date(disposal.executed_at).isoformat()}",
        f"Jumlah: {len(items)} arsip",
        f"Cara: {METHODS[disposal.kind]}",
        f"Akar daftar (SHA-256, Merkle): {disposal.list_root}",
    ]
    if disposal.authority:
        lines.append(f"Persetujuan: {AUTHORITIES[disposal.authority]}")
    lines += [f"{slot}: {record}" for slot, record in sorted(evidence.items())]
    lines += ["", "Pelaku dan saksi:"]
    lines += [f"- {act.step}: {act.by}, {act.at.isoformat()}" for act in acts]
    lines += ["", "Daftar arsip:"]
    lines += [f"{one.position}. {one.line}" for one in items]
    return "\n".join(lines) + "\n"
