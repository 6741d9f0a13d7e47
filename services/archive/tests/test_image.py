"""What the archive's image is made of, as far as it can be judged without an engine."""

from pathlib import Path

import yaml
from sebalai_archive.settings import ArchiveSettings

ROOT = Path(__file__).parents[3]


def test_the_token_library_of_the_image_is_the_one_that_is_tested():
    pinned = (ROOT / "locks/archive-pkcs11.txt").read_text()
    assert pinned.startswith("python-pkcs11==")
    assert pinned in (ROOT / "locks/all.txt").read_text()


def test_scans_are_read_where_the_compose_file_is_told_so_and_nowhere_else(monkeypatch):
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("archive", "archive-worker"):
        told = services[name]["environment"]["SEBALAI_OCR_PROGRAM"]
        assert told == "${ARCHIVE_OCR_PROGRAM-}"
    assert services["archive"]["build"]["args"]["PACKAGES"] == "${ARCHIVE_PACKAGES-}"
    monkeypatch.setenv("SEBALAI_OCR_PROGRAM", "")
    assert ArchiveSettings().ocr_program is None
    monkeypatch.setenv("SEBALAI_OCR_PROGRAM", "/usr/bin/tesseract")
    assert ArchiveSettings().ocr_program == Path("/usr/bin/tesseract")
