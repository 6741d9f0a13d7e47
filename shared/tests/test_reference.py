import pytest
from sebalai_shared.reference import ReferenceFolder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "t.csv").write_text('code,name\nU1,"a, b"\n', encoding="utf-8")
    (tmp_path / "provenance.csv").write_text(
        "file,key,status,source\n"
        "t.csv,U1,verified,x\n"
        "t.csv,U5,partly,y\n"
        "other.csv,*,inferred,z\n"
        "other.csv,a,synthetic,w\n",
        encoding="utf-8",
    )
    return ReferenceFolder(tmp_path)


def test_rows_are_read_as_written(folder):
    assert folder.rows("t") == [{"code": "U1", "name": "a, b"}]


@pytest.mark.parametrize(
    ("table", "key", "status"),
    [
        ("t", "U1", "verified"),
        ("t", "U5", "partly"),
        ("other", "b", "inferred"),
        ("other", "a", "synthetic"),
        ("t", "U6", "unverified"),
        ("unknown", "x", "unverified"),
    ],
)
def test_a_row_has_its_own_mark_or_the_tables_or_none(folder, table, key, status):
    assert folder.provenance(table, key).status == status
