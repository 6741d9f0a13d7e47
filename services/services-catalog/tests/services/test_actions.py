import re
import shutil

import pytest
from sebalai_services_catalog.loading import load_reference
from sebalai_services_catalog.services.actions import load_services
from sebalai_services_catalog.services.files import read_all
from sebalai_shared.reference import ReferenceFolder
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

FILE = "services/izin-penelitian.toml"


async def facts(database):
    async with database.transaction() as session:
        query = (
            "SELECT document->'data' FROM outbox WHERE type LIKE 'catalog.service.%' ORDER BY seq"
        )
        rows = await session.scalars(text(query))
        return list(rows)


@pytest.fixture
def folder(reference_folder, tmp_path):
    return shutil.copytree(reference_folder, tmp_path / "reference")


async def load(database, clock, folder):
    async with database.transaction() as session:
        return await load_services(session, clock, folder=folder)


def change(folder, old, new):
    path = folder / FILE
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


async def test_loading_again_publishes_nothing(loaded, clock, reference_folder):
    told = await facts(loaded)
    counts = await load_reference(loaded, clock, reference_folder)
    assert counts["service versions published"] == 0
    assert await facts(loaded) == told
    assert len(told) == counts["services"] >= 20


async def test_a_changed_file_becomes_a_new_version_told_once(loaded, clock, folder, anonymous):
    change(folder, '"Research permit"', '"Permit for research"')
    assert (await load(loaded, clock, folder))["service versions published"] == 1
    assert (await load(loaded, clock, folder))["service versions published"] == 0
    service = (await anonymous.get("/v1/services/izin-penelitian")).json()
    assert (service["version"], service["name"]["en"]) == (2, "Permit for research")
    last = (await facts(loaded))[-1]
    assert last == {
        "service_id": service["id"], "slug": "izin-penelitian", "version": 2, "agency": "dpmptsp",
    }  # fmt: skip


async def test_a_comment_in_a_file_makes_no_version(loaded, clock, folder):
    change(folder, "[standard]", "# reviewed\n[standard]")
    assert (await load(loaded, clock, folder))["service versions published"] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('slug = "izin-penelitian"', 'slug = "lain"'),
        ('"masyarakat"', '"warga"'),
        ("[standard.name]", "[standard.nama]"),
        ("Research permit", "x" * 101),
        ("permendagri-3-2018", "permendagri-9-1999"),
        ('template = "nonperizinan-rekomendasi"', 'template = "tidak-ada"'),
        ('template = "nonperizinan-rekomendasi"', ""),
        ('unit = "working_days"', 'unit = "weeks"'),
        ('status = "unverified"', 'status = "sure"'),
    ],
)
async def test_a_wrong_file_is_named_and_nothing_is_loaded(database, clock, folder, old, new):
    told = await facts(database)
    change(folder, old, new)
    with pytest.raises(ValueError, match=r"izin-penelitian\.toml"):
        await load(database, clock, folder)
    assert await facts(database) == told


async def test_a_published_version_cannot_be_changed_in_the_database(loaded):
    async def run():
        async with loaded.transaction() as session:
            await session.execute(text("UPDATE service_version SET name_id = 'x'"))

    with pytest.raises(DBAPIError, match="does not change"):
        await run()


def test_each_service_belongs_to_an_agency_of_the_province(reference_folder):
    names = [row["short_name"] for row in ReferenceFolder(reference_folder).rows("agencies")]
    slugs = {re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in names}
    files = read_all(reference_folder)
    assert len(files) >= 60
    assert {file.agency for file in files} <= slugs
