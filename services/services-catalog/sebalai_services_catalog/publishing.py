"""What others may build on: the catalogue's OpenAPI document and the schemas of its events."""

import json
from pathlib import Path
from typing import Any

from sebalai_services_catalog.app import NAME, catalog_app
from sebalai_services_catalog.calendar import events as calendar
from sebalai_services_catalog.complaints import events as complaints
from sebalai_services_catalog.datasets import events as datasets
from sebalai_services_catalog.evidence import events as evidence
from sebalai_services_catalog.payments import events as payments
from sebalai_services_catalog.regulations import events as regulations
from sebalai_services_catalog.requests import events as requests
from sebalai_services_catalog.services import events as services
from sebalai_services_catalog.settings import CatalogSettings

FACTS = {
    **complaints.FACTS,
    **services.FACTS,
    **calendar.FACTS,
    **datasets.FACTS,
    **evidence.FACTS,
    **payments.FACTS,
    **regulations.FACTS,
    **requests.FACTS,
}


def contracts() -> dict[str, dict[str, Any]]:
    """File name to document."""
    documents: dict[str, dict[str, Any]] = {
        f"{NAME}.openapi.json": catalog_app(CatalogSettings()).openapi()
    }
    for kind, data in FACTS.items():
        documents[f"events/{kind}.json"] = data.model_json_schema()
    return documents


def write_contracts(folder: Path) -> None:
    for name, document in contracts().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")
