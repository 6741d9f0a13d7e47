"""The API catalogue as a linkset (RFC 9727, RFC 9264): where every OpenAPI document is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MEMBERS = ("identity", "catalog", "archive", "exchange")
CATALOG_PATH = "/.well-known/api-catalog"
PROFILE = "https://www.rfc-editor.org/info/rfc9727"
MEDIA_TYPE = f'application/linkset+json; profile="{PROFILE}"'
OPENAPI_TYPE = "application/openapi+json"
EXPORTS = (
    ("cpsv-ap.jsonld", "application/ld+json"),
    ("dcat-ap.jsonld", "application/ld+json"),
    ("sippn.json", "application/json"),
    ("sippn.csv", "text/csv"),
)
"""What other catalogues harvest, each under the catalogue's `/v1/exports/`."""


@dataclass(frozen=True, slots=True)
class Listed:
    id: str
    name: str


def linkset(public_url: str, interfaces: Sequence[Listed]) -> dict[str, Any]:
    """One context lists all (`item`), then one a contract (`service-desc`)."""
    rooms = [f"{public_url}/api/{member}" for member in MEMBERS]
    described = [(room, f"{room}/openapi.json", "application/json") for room in rooms]
    described += [
        (
            f"{public_url}/r1/{listed.name}",
            f"{public_url}/api/exchange/v1/interfaces/{listed.id}/contract",
            OPENAPI_TYPE,
        )
        for listed in interfaces
    ]
    return {
        "linkset": [
            {
                "anchor": f"{public_url}{CATALOG_PATH}",
                "item": [{"href": anchor} for anchor, _, _ in described],
            },
            *(
                {"anchor": anchor, "service-desc": [{"href": href, "type": kind}]}
                for anchor, href, kind in described
            ),
            _exports(f"{public_url}/api/catalog"),
        ]
    }


def _exports(room: str) -> dict[str, Any]:
    """The catalogue's own metadata for machines (`service-meta`, RFC 8631)."""
    hrefs = [{"href": f"{room}/v1/exports/{name}", "type": kind} for name, kind in EXPORTS]
    hrefs.append({"href": f"{room}/v1/software", "type": "application/json"})
    return {"anchor": f"{room}/v1/exports", "service-meta": hrefs}
