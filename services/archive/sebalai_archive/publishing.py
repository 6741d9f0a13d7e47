"""What others may build on: the archive's OpenAPI document and the schemas of its events."""

import json
from pathlib import Path
from typing import Any

from sebalai_archive.app import NAME, archive_app
from sebalai_archive.disposals import events as disposals
from sebalai_archive.fixity import events as fixity
from sebalai_archive.incoming import events as incoming
from sebalai_archive.outgoing import events as letters
from sebalai_archive.records import events as records
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signatures import events as signatures


def contracts() -> dict[str, dict[str, Any]]:
    """File name to document."""
    documents: dict[str, dict[str, Any]] = {
        f"{NAME}.openapi.json": archive_app(ArchiveSettings()).openapi()
    }
    published = records.PUBLISHED | letters.PUBLISHED | incoming.PUBLISHED
    published |= disposals.PUBLISHED | fixity.PUBLISHED | signatures.PUBLISHED
    for kind, data in published.items():
        documents[f"events/{kind}.json"] = data.model_json_schema()
    return documents


def write_contracts(folder: Path) -> None:
    for name, document in contracts().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")
