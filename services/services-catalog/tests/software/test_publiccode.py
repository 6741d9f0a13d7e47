"""`publiccode.yml` 0.4 as shapes and as YAML that a reader of YAML takes for the same."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sebalai_services_catalog.software.actions import own_publiccode
from sebalai_services_catalog.software.publiccode import PublicCode, as_yaml, document_of

ROOT = Path(__file__).parents[4] / "publiccode.yml"


def test_what_the_platform_says_of_itself_is_what_its_repository_says():
    said = yaml.safe_load(ROOT.read_text(encoding="utf-8"))
    said["releaseDate"] = str(said["releaseDate"])
    assert document_of(own_publiccode()) == said


def changed(**more):
    document = yaml.safe_load(ROOT.read_text(encoding="utf-8"))
    for path, value in more.items():
        *parents, last = path.split("__")
        room = document
        for name in parents:
            room = room[name]
        if value is None:
            del room[last]
        else:
            room[last] = value
    return document


@pytest.mark.parametrize(
    "wrong",
    [
        {"publiccodeYmlVersion": "0.1"},
        {"name": None},
        {"name": "a\u2028b"},
        {"url": "http://example.invalid/x.git"},
        {"url": "https://example.invalid/a b"},
        {"platforms": []},
        {"categories": ["Not a code"]},
        {"developmentStatus": "ready"},
        {"softwareType": "standalone"},
        {"description": {}},
        {"description__id__longDescription": "terlalu pendek"},
        {"description__id__shortDescription": "x" * 151},
        {"description__id__features": []},
        {"legal__license": None},
        {"maintenance__contacts": None},
        {"maintenance__type": "contract"},
        {"maintenance__contacts": [{"name": "x", "email": "not an address"}]},
        {"localisation__availableLanguages": ["Indonesian"]},
        {"unknownKey": "x"},
    ],
)
def test_what_the_standard_does_not_take_is_refused(wrong):
    PublicCode.model_validate(changed())
    with pytest.raises(ValidationError):
        PublicCode.model_validate(changed(**wrong))


TRICKY = ["no", "1e3", "~", "#x", "a: b", '"', "\\", "0x1f", "2026-11-24", "- a", "\U0001f600", "é"]


@given(st.sampled_from(TRICKY) | st.text(min_size=1, max_size=80))
def test_any_text_that_is_taken_is_read_back_as_it_was(text):
    try:
        code = PublicCode.model_validate(changed(name=text, softwareVersion=text))
    except ValidationError:
        return
    document = document_of(code)
    assert yaml.safe_load(as_yaml(document)) == document
    assert document["name"] == text


@given(st.text(max_size=200))
def test_long_texts_keep_their_lines(text):
    long = text + "\n" + "x" * 150
    try:
        code = PublicCode.model_validate(changed(description__id__longDescription=long))
    except ValidationError:
        return
    told = yaml.safe_load(as_yaml(document_of(code)))
    assert told["description"]["id"]["longDescription"] == long
