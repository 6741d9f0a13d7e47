"""A dataset, and those who move it."""

import pytest
from sebalai_shared.testing.http import system

METADATA = {
    "title": {"id": "Produksi lada putih", "en": "White pepper production"},
    "description": {"id": "Produksi lada putih per kabupaten dan tahun, dalam ton."},
    "themes": ["AGRI", "ECON"],
    "keywords": ["lada", "pertanian", "muntok white pepper"],
    "license": "CC-BY-4.0",
    "region": "19",
    "temporal": {"start": "2020-01-01", "end": "2025-12-31"},
    "frequency": "ANNUAL",
    "contact": {"name": "Bidang Perkebunan", "email": "data@example.invalid"},
    "standard": {
        "code": "SDN 1.2.3",
        "concept": "Produksi perkebunan",
        "definition": "Hasil panen dalam setahun.",
        "classification": "Komoditas",
        "measure": "Berat",
        "unit": "Ton",
    },
    "reference_codes": ["Kode wilayah Kemendagri"],
    "distributions": [
        {"code": "csv", "title": "Tabel", "url": "https://data.example/lada.csv",
         "format": "CSV", "media_type": "text/csv", "bytes": 1200},
        {"code": "peta", "title": "Peta", "url": "https://data.example/lada.geojson",
         "format": "GEOJSON", "media_type": "application/geo+json"},
    ],
}  # fmt: skip
SLUG = "produksi-lada-putih"
URL = f"/v1/datasets/{SLUG}"


@pytest.fixture
def writer(client_of):
    return client_of(system("ID-BB/GOV/dpkp/data", "catalog.write"))


@pytest.fixture
def walidata(client_of):
    return client_of(system("ID-BB/GOV/diskominfo/walidata", "catalog.decide"))


@pytest.fixture
def write(writer):
    async def write(revision=0, client=None, **changes):
        body = {"revision": revision, "agency": "dpkp", "metadata": METADATA | changes}
        return await (client or writer).put(f"{URL}/draft", json=body)

    return write


@pytest.fixture
def publish(write, writer, walidata):
    async def publish(revision=0, **changes):
        assert (await write(revision, **changes)).status_code == 200
        assert (await writer.post(f"{URL}/submission")).status_code == 200
        answer = await walidata.post(f"{URL}/publication")
        assert answer.status_code == 200, answer.text
        return answer.json()

    return publish
