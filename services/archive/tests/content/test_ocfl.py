"""Objects of a storage root: versions, what is written twice, what a cut leaves."""

import hashlib
import json

import pytest
from sebalai_archive.content.ocfl import StorageRoot, Version, files_of

ID = "urn:uuid:019a0000-0000-7000-8000-000000000001"
AT = "2026-11-24T03:00:00Z"


@pytest.fixture
def bytes_of():
    return {}


@pytest.fixture
def bring(bytes_of):
    def bring(digest, target):
        target.write_bytes(bytes_of[digest])

    return bring


@pytest.fixture
def version(bytes_of):
    def version(**contents):
        files = {}
        for path, content in contents.items():
            digest = hashlib.sha256(content).hexdigest()
            bytes_of[digest], files[path.replace("_", ".")] = content, digest
        return Version(files, AT, "said")

    return version


@pytest.fixture
def root(tmp_path):
    return StorageRoot(tmp_path / "ocfl")


def lying(root):
    path = root.path(ID)
    return sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())


def test_an_object_lies_where_its_layout_says(root, bring, version):
    assert root.add(ID, version(record_json=b"{}", content=b"isi"), bring) == 1
    digest = hashlib.sha256(ID.encode()).hexdigest()
    path = root.folder / digest[:3] / digest[3:6] / digest[6:9] / ID.replace(":", "%3a")
    assert path == root.path(ID)
    assert (path / "v1/content/content").read_bytes() == b"isi"
    assert root.objects() == [path]


def test_a_version_writes_only_what_is_new(root, bring, version):
    root.add(ID, version(record_json=b"{}", content=b"isi"), bring)
    assert root.add(ID, version(record_json=b'{"a":1}', content=b"isi"), bring) == 2
    assert [name for name in lying(root) if name.startswith("v2/content")] == [
        "v2/content/record.json"
    ]
    assert root.current(ID) == version(record_json=b'{"a":1}', content=b"isi").files
    inventory = root.inventory(ID)
    assert list(inventory["versions"]) == ["v1", "v2"]
    first = inventory | {"head": "v1"}
    assert files_of(first) == version(record_json=b"{}", content=b"isi").files


@pytest.mark.parametrize("cut", ["sidecar", "inventory", "version"])
def test_what_a_cut_left_is_written_anew(root, bring, version, cut):
    root.add(ID, version(record_json=b"{}"), bring)
    path = root.path(ID)
    if cut == "sidecar":
        (path / "inventory.json.sha256").unlink()
    elif cut == "inventory":
        (path / "inventory.json").write_bytes(b'{"half":')
    else:
        (path / "v2").mkdir()
        (path / "v2" / "half").write_bytes(b"x")
    number = root.add(ID, version(record_json=b'{"a":1}'), bring)
    assert number == (2 if cut == "version" else 1)
    assert root.current(ID) == version(record_json=b'{"a":1}').files
    assert not any("half" in name for name in lying(root))


def test_bytes_that_cannot_be_brought_leave_the_object_as_it_was(root, bring, version):
    root.add(ID, version(record_json=b"{}"), bring)

    def fails(digest, target):
        raise FileNotFoundError(digest)

    with pytest.raises(FileNotFoundError):
        root.add(ID, version(record_json=b"new"), fails)
    assert root.current(ID) == version(record_json=b"{}").files
    assert list(root.folder.with_name("ocfl-stage").iterdir()) == []


def test_a_purged_object_is_gone_whole(root, bring, version):
    root.add(ID, version(record_json=b"{}"), bring)
    root.purge(ID)
    assert root.inventory(ID) is None
    assert root.objects() == []
    root.purge(ID)


def test_the_sidecar_vouches_for_the_inventory(root, bring, version):
    root.add(ID, version(record_json=b"{}"), bring)
    path = root.path(ID)
    told = json.loads((path / "inventory.json").read_bytes())
    (path / "inventory.json").write_text(json.dumps(told | {"head": "v9"}))
    assert root.inventory(ID) is None
