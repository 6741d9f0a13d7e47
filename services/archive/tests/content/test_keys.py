"""The file of class keys: made, put in front, read; and what it refuses."""

import json

import pytest
from sebalai_archive.content.frames import SealBroken, new_key
from sebalai_archive.content.keys import ClassKeys, KeysMalformed, KeyUnknown, add_keys

SHA = "a" * 64


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "secrets" / "content-keys.json"
    add_keys(path, "2026")
    return path


def test_no_file_no_key():
    assert ClassKeys.from_file(None).current("rahasia") is None


def test_a_new_key_wraps_and_the_old_one_still_opens(file):
    old = ClassKeys.from_file(file)
    data_key = new_key()
    wrapped = old.wrap("rahasia", SHA, data_key)
    add_keys(file, "2027")
    keys = ClassKeys.from_file(file)
    assert (keys.current("rahasia"), wrapped.key_id) == ("2027", "2026")
    assert keys.unwrap("rahasia", SHA, wrapped) == data_key
    again = keys.wrap("rahasia", SHA, data_key)
    with pytest.raises(KeyUnknown):
        old.unwrap("rahasia", SHA, again)


def test_a_wrapped_key_opens_its_own_content_of_its_own_class_alone(file):
    keys = ClassKeys.from_file(file)
    wrapped = keys.wrap("rahasia", SHA, new_key())
    for security_class, sha256 in (("terbatas", SHA), ("rahasia", "b" * 64)):
        with pytest.raises(SealBroken):
            keys.unwrap(security_class, sha256, wrapped)


def test_the_file_is_for_its_owner_alone(file):
    assert file.stat().st_mode & 0o777 == 0o600


def test_public_content_has_no_key(file):
    assert ClassKeys.from_file(file).current("biasa") is None


@pytest.mark.parametrize(
    "told",
    [
        "[]",
        "no json",
        '{"rahasia": [{"id": "a"}]}',
        '{"rahasia": [{"id": "a", "key": "short"}]}',
        '{"rahasia": [{"id": "a", "key": "!!!"}]}',
        json.dumps({"rahasia": [{"id": "a", "key": "A" * 43 + "="}] * 2}),
        json.dumps({"rahasia": [{"id": "", "key": "A" * 43 + "="}]}),
    ],
)
def test_what_is_no_file_of_keys_stops_the_start_and_shows_no_key(told, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(told)
    with pytest.raises(KeysMalformed) as refused:
        ClassKeys.from_file(path)
    assert "AAAA" not in str(refused.value)


def test_an_id_stands_once(file):
    with pytest.raises(KeysMalformed):
        add_keys(file, "2026")
