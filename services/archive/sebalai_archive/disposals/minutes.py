"""The minutes (berita acara) of an executed disposal, as text and as what stands on paper."""

import json
from collections.abc import Sequence

from sebalai_archive.disposals.model import Disposal, DisposalAct, DisposalItem
from sebalai_archive.disposals.schema import MinutesIssue
from sebalai_archive.rendering.letters import Signatory, written_date
from sebalai_archive.rendering.minutes import Minutes
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
    lines = [TITLES[disposal.kind], ""]
    lines += [f"{name}: {value}" for name, value in _facts(disposal, items, acts)]
    lines += ["", "Pelaku dan saksi:"]
    lines += [f"- {act.step}: {act.by}, {act.at.isoformat()}" for act in acts]
    lines += ["", "Daftar arsip:"]
    lines += [f"{one.position}. {one.line}" for one in items]
    return "\n".join(lines) + "\n"


def _facts(
    disposal: Disposal, items: Sequence[DisposalItem], acts: Sequence[DisposalAct]
) -> list[tuple[str, str]]:
    if disposal.executed_at is None:
        raise ValueError("not executed")
    facts = [
        ("Nomor perkara", str(disposal.id)),
        ("Perangkat daerah", disposal.agency),
        ("Tanggal", civil_date(disposal.executed_at).isoformat()),
        ("Jumlah", f"{len(items)} arsip"),
        ("Cara", METHODS[disposal.kind]),
        ("Akar daftar (SHA-256, Merkle)", str(disposal.list_root)),
    ]
    if disposal.authority:
        facts.append(("Persetujuan", AUTHORITIES[disposal.authority]))
    evidence = {slot: record for act in acts for slot, record in act.evidence.items()}
    return facts + sorted(evidence.items())


def paper_of(
    disposal: Disposal,
    items: Sequence[DisposalItem],
    acts: Sequence[DisposalAct],
    wanted: MinutesIssue,
) -> Minutes:
    """The same facts for the PDF, dated on the day of the execution. Raises as `minutes_of`."""
    facts = _facts(disposal, items, acts)
    if disposal.executed_at is None:
        raise ValueError("not executed")
    return Minutes(
        title=TITLES[disposal.kind],
        case=str(disposal.id),
        agency_name=disposal.agency.replace("-", " "),
        place=wanted.place,
        date=written_date(civil_date(disposal.executed_at)),
        facts=facts,
        acts=[(act.step, act.by, act.at.isoformat(timespec="seconds")) for act in acts],
        items=[{"position": one.position} | json.loads(one.line) for one in items],
        signer=Signatory(wanted.name, wanted.position),
    )
