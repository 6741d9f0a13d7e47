"""`publiccode.yml` against the standard of that name, version 0.4: keys, lists and lengths."""

import re
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANDATORY = {
    "publiccodeYmlVersion", "name", "url", "platforms", "categories", "developmentStatus",
    "softwareType", "description", "legal", "maintenance", "localisation",
}  # fmt: skip
OPTIONAL = {"softwareVersion", "releaseDate", "intendedAudience", "landingURL", "roadmap", "logo"}
STATUSES = {"concept", "development", "beta", "stable", "obsolete"}
TYPES = {
    "standalone/mobile", "standalone/iot", "standalone/desktop", "standalone/web",
    "standalone/backend", "standalone/other", "addon", "library", "configurationFiles",
}  # fmt: skip
CATEGORIES = {
    "business-process-management", "compliance-management", "data-collection",
    "digital-citizenship", "document-management", "feedback-and-reviews-management",
    "identity-management", "it-management", "it-service-management", "workflow-management",
}  # fmt: skip
"""Of the standard's list, those that a bus, an archive and a catalogue may be."""
SCOPES = {"government", "local-authorities", "society", "justice", "infrastructures"}
SHORT_MAX, LONG_MIN, LONG_MAX, FEATURE_MAX = 150, 150, 10_000, 100


@pytest.fixture(scope="module")
def described():
    return yaml.safe_load((ROOT / "publiccode.yml").read_text(encoding="utf-8"))


def test_every_key_is_one_of_the_standards_and_none_is_missing(described):
    assert MANDATORY - set(described) == set()
    assert set(described) - MANDATORY - OPTIONAL == set()
    assert described["publiccodeYmlVersion"] == "0.4"


def test_values_come_from_the_standards_lists(described):
    assert described["developmentStatus"] in STATUSES
    assert described["softwareType"] in TYPES
    assert set(described["categories"]) <= CATEGORIES
    audience = described["intendedAudience"]
    assert set(audience["scope"]) <= SCOPES
    assert all(re.fullmatch(r"[a-z]{2}", one) for one in audience["countries"])
    assert urlsplit(described["url"]).scheme == "https"
    assert date.fromisoformat(str(described["releaseDate"]))


def test_each_language_tells_what_it_is_in_the_length_the_standard_wants(described):
    assert set(described["description"]) == {"id", "en"}
    for told in described["description"].values():
        assert len(told["shortDescription"]) <= SHORT_MAX
        assert "\n" not in told["shortDescription"].strip()
        assert LONG_MIN <= len(told["longDescription"]) <= LONG_MAX
        assert told["features"]
        assert all(len(one) <= FEATURE_MAX for one in told["features"])


def test_who_keeps_it_and_its_licence_are_told_as_the_project_tells_them(described):
    maintenance = described["maintenance"]
    assert maintenance["type"] in {"internal", "contract", "community", "none"}
    assert all(one["name"] for one in maintenance["contacts"])
    assert described["legal"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    told = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', told, re.MULTILINE)
    assert version is None or described["softwareVersion"] == version.group(1)
    localisation = described["localisation"]
    assert localisation["localisationReady"] is True
    assert set(localisation["availableLanguages"]) == {"id", "en"}
