"""Official lists: what stands in which, for whom, and that no cell becomes a formula."""

import csv
import io
from datetime import date

import openpyxl
import pytest
from sebalai_archive.disposals.jobs import propose_due
from sebalai_archive.lists import actions
from sebalai_archive.lists.kinds import TITLES, Column
from sebalai_archive.lists.sheets import FORMULA_BEGINS, CsvSheet, ExcelSheet
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system

from services.archive.tests.conftest import NOW
from services.archive.tests.disposals.conftest import Panel, key

DUE, YOUNG = "2010-01-01", "2026-01-01"
SHORT, ETERNAL = "800.1.2.2", "000.2.5"  # 2 + 3 years and destroyed; kept for ever
OPERATOR = system("ID-BB/GOV/diskominfo/operasi", "platform.operate")


@pytest.fixture
async def panel(client_of):
    made = Panel(client_of, client_of(OPERATOR))
    await made.seat()
    return made


async def listed(client, kind, **asked):
    answer = await client.get(f"/v1/lists/{kind}", params=asked)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


async def ids(client, kind, **asked):
    return {row["Pengenal"] for row in await listed(client, kind, **asked)}


async def test_each_record_stands_in_the_lists_of_its_stage_and_fate(panel, database, clock):
    desk = panel.desk
    others = await ids(desk, "active")
    young = await panel.record(SHORT, YOUNG)
    idle = await panel.record(SHORT, "2023-06-01", protection="vital")
    due = await panel.record(SHORT, DUE)
    kept = await panel.record(ETERNAL, DUE, protection="terjaga")
    assert await ids(desk, "active") == others | {young}
    assert await ids(desk, "inactive") == {idle, due, kept}
    assert await ids(desk, "vital") == {idle}
    assert await ids(desk, "terjaga") == {kept}
    await propose_due(database, clock)
    assert await ids(desk, "proposed-destruction") == {due}
    assert await ids(desk, "proposed-handover") == {kept}
    assert await ids(desk, "proposed-transfer") == {idle}
    [row] = await listed(desk, "proposed-destruction")
    wanted = {"No.": "1", "Persetujuan": "Gubernur", "Diusulkan": "2026-11-24", "Nasib akhir": "musnah",
              "Jangka simpan (tahun)": "2 aktif, 3 inaktif", "Inaktif sampai": "2015-01-01"}  # fmt: skip
    assert wanted.items() <= row.items()


async def test_what_is_destroyed_leaves_every_list_but_its_own(panel, database, clock):
    gone = await panel.record(SHORT, DUE)
    await propose_due(database, clock)
    await panel.step(await panel.decreed(gone), "execute")
    assert await ids(panel.desk, "destroyed") == {gone}
    for kind in TITLES.keys() - {"destroyed"}:
        assert gone not in await ids(panel.desk, kind), kind


async def test_a_file_unit_is_listed_with_its_years_and_its_contents_apart(panel):
    made = {"number": "B-1", "title": "Rapat", "classification": "000.1.5"}
    unit = (await panel.desk.post("/v1/file-units", json=made, headers=key())).json()["id"]
    first = await panel.record("000.1.5", YOUNG, file_unit=unit, dated="2025-03-01")
    last = await panel.record("000.1.5", YOUNG, file_unit=unit, dated="2026-02-01")
    await panel.record("000.1.5", YOUNG)
    [row] = await listed(panel.desk, "file-units")
    assert (row["Jumlah arsip"], row["Kurun waktu"]) == ("2", "2025-03-01 - 2026-02-01")
    assert await ids(panel.desk, "file-unit-contents", file_unit=unit) == {first, last}
    assert {one["Nomor berkas"] for one in await listed(panel.desk, "file-unit-contents")} == {
        "B-1"
    }
    assert await ids(panel.desk, "file-unit-contents", file_unit=str(uuid7())) == set()


async def test_a_code_narrows_to_itself_and_what_is_below_in_natural_order(panel):
    for code in ("800.1.13.1", "800.1.2.2", "000.2.5"):
        await panel.record(code, YOUNG)
    codes = [
        row["Kode klasifikasi"]
        for row in await listed(panel.desk, "active", classification="800.1")
    ]
    assert codes == ["800.1.1.1", "800.1.2.2", "800.1.13.1"]
    assert await ids(panel.desk, "active", classification="800.1.1.1") == {panel.evidence_id}
    assert await ids(panel.desk, "active", classification="800.2") == set()


@pytest.mark.parametrize("kind", TITLES)
async def test_no_list_tells_of_what_the_caller_may_not_know(
    kind, panel, client_of, database, clock
):
    """Neither a row, nor an amount, nor the title of a file unit."""
    made = {"number": "R-1", "title": "Berkas Rajawali", "classification": SHORT,
            "security_class": "rahasia"}  # fmt: skip
    unit = (await panel.desk.post("/v1/file-units", json=made, headers=key())).json()["id"]
    opened = {"number": "B-1", "title": "Berkas biasa", "classification": SHORT,
              "security_class": "biasa"}  # fmt: skip
    plain = (await panel.desk.post("/v1/file-units", json=opened, headers=key())).json()["id"]
    for file_unit in (unit, plain):
        for protection in ("vital", "terjaga", "biasa"):
            for trigger in (DUE, YOUNG):
                hidden = {"security_class": "rahasia", "title": "Operasi Rajawali"}
                await panel.record(
                    SHORT, trigger, file_unit=file_unit, protection=protection, **hidden
                )
    await propose_due(database, clock)
    standing = {"agency": "dinsos-pmd", "rank": "staff", "unit": "lain"}
    await client_of(OPERATOR).put("/v1/standings/staf", json=standing)
    staff = client_of(Caller(kind="civil_servant", subject="staf", agency="dinsos-pmd"))
    stranger = client_of(system("ID-BB/GOV/dp3acskb/kependudukan", "archive.write"))
    for outsider in (staff, stranger, client_of(OPERATOR)):
        for form in ("csv", "xlsx"):
            answer = await outsider.get(f"/v1/lists/{kind}", params={"format": form})
            assert answer.status_code == 200
        text = (await outsider.get(f"/v1/lists/{kind}")).text
        assert "Rajawali" not in text
        assert "R-1" not in text
    for row in await listed(staff, "file-units"):
        assert row["Jumlah arsip"] == "0"
    assert (await listed(stranger, kind)) == []


async def test_without_a_caller_there_is_no_list(anonymous):
    assert (await anonymous.get("/v1/lists/active")).status_code == 401


async def test_a_list_that_is_none_or_too_long_is_refused(panel, monkeypatch):
    assert (await panel.desk.get("/v1/lists/all")).status_code == 422
    assert (await panel.desk.get("/v1/lists/active", params={"format": "pdf"})).status_code == 422
    monkeypatch.setattr(actions, "ROWS_MAX", 0)
    answer = await panel.desk.get("/v1/lists/active")
    assert (answer.status_code, answer.json()["type"]) == (
        413,
        "urn:sebalai:problem:list-too-large",
    )


async def test_excel_has_the_same_rows_and_another_program_reads_them(panel):
    title = '=HYPERLINK("http://jahat.example","klik")'
    await panel.record(SHORT, YOUNG, title=title, number="+62/1", dated="2026-01-05")
    answer = await panel.desk.get("/v1/lists/active", params={"format": "xlsx"})
    assert answer.headers["content-disposition"].endswith('active-dinsos-pmd-2026-11-24.xlsx"')
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    head, *rows = sheet.iter_rows()
    at = {cell.value: cell.column - 1 for cell in head}
    [row] = [row for row in rows if row[at["Uraian informasi"]].value == title]
    assert row[at["Uraian informasi"]].data_type == row[at["Nomor arsip"]].data_type == "s"
    assert row[at["Tanggal"]].value.date() == date(2026, 1, 5)
    assert len(rows) == len(await listed(panel.desk, "active"))


@pytest.mark.parametrize("begin", FORMULA_BEGINS)
def test_no_text_becomes_a_formula(begin, tmp_path):
    text, columns = f"{begin}1+1", (Column("a", "A"), Column("b", "B"))
    plain = io.BytesIO()
    sheet = CsvSheet(plain, columns)
    sheet.add([[text, 1]])
    sheet.close()
    [_, row] = csv.reader(io.StringIO(plain.getvalue().decode(), newline=""))
    assert row == [f"'{text}", "1"]
    excel = io.BytesIO()
    book = ExcelSheet(excel, columns, ("Daftar", NOW, tmp_path))
    book.add([[text, 1]])
    book.close()
    cell = openpyxl.load_workbook(excel).active["A2"]
    assert cell.data_type != "f"
