"""Looks into one file and prints what it found as JSON; a process of its own, meant to be killed.

`python -m sebalai_archive.examine_child PATH`. Memory, time and output are limited before the file
is opened: what it holds is not trusted, and neither are the libraries that read it.
"""

import json
import re
import resource
import sys
import zipfile
from pathlib import Path
from typing import Any

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 20
TEXT_CHARACTERS = 500_000
MEMBER_BYTES = 8 * 1024 * 1024
PAGES_READ = 2_000
FILE_BYTES_READ = 2 * 1024 * 1024
OFFICE_MEMBERS = ("word/document.xml", "content.xml", "xl/sharedStrings.xml")

# PNG, JPEG, TIFF of either byte order: what scanners make beside PDF.
PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")

_TAG = re.compile(r"<[^>]*>")


class OverLimit(Exception):
    """There is more in the file than we read."""


def limit_self() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def puid_of(path: Path) -> str | None:
    import pygfried  # noqa: PLC0415 - only in the child

    try:
        return str(pygfried.identify(str(path))) or None
    except OSError:
        return None


def examine(path: Path) -> dict[str, Any]:
    if path.stat().st_size == 0:
        return {"state": "no_text", "puid": None, "note": "the file is empty"}
    found: dict[str, Any] = {"puid": puid_of(path)}
    with path.open("rb") as file:
        head = file.read(1024)
    try:
        return found | _text(path, head)
    except OverLimit as error:
        return found | {"state": "over_limit", "note": str(error)}


def _text(path: Path, head: bytes) -> dict[str, Any]:
    if b"%PDF-" in head:
        return _pdf(path)
    if head.startswith(b"PK\x03\x04"):
        return _office(path)
    with path.open("rb") as file:
        raw = file.read(FILE_BYTES_READ)
    if b"\x00" in raw:
        return {"state": "no_text", "is_scan": head.startswith(PICTURES)}
    try:
        text = raw.decode("utf-8", "strict" if len(raw) < FILE_BYTES_READ else "ignore")
    except UnicodeDecodeError:
        return {"state": "no_text"}
    return _told(text)


def _told(text: str, **more: Any) -> dict[str, Any]:
    text = text.replace("\x00", " ").strip()
    state = "text" if text else "no_text"
    return {"state": state, "body": text[:TEXT_CHARACTERS], **more}


def _pdf(path: Path) -> dict[str, Any]:
    import pypdfium2  # noqa: PLC0415 - only in the child

    try:
        # As a file: a path in memory has no name that could be resolved.
        document = pypdfium2.PdfDocument(path.open("rb"), autoclose=True)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            return {"state": "no_text", "note": "it opens by a password only"}
        return {"state": "broken", "note": str(error)[:200]}
    pages, parts, size = len(document), list[str](), 0
    for number in range(min(pages, PAGES_READ)):
        try:
            text = document[number].get_textpage().get_text_bounded()
        except pypdfium2.PdfiumError:
            continue
        parts.append(text)
        size += len(text)
        if size > TEXT_CHARACTERS:
            break
    text = "\n".join(parts)
    return _told(text, pages=pages, is_scan=pages > 0 and not text.strip())


def _office(path: Path) -> dict[str, Any]:
    """Only the members that hold the text, each read up to a limit whatever the header says."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in OFFICE_MEMBERS if name in archive.NameToInfo]
            parts = [_member(archive, name) for name in names]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        return {"state": "broken", "note": str(error)[:200]}
    return _told(" ".join(" ".join(_TAG.sub(" ", part).split()) for part in parts))


def _member(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        raw = file.read(MEMBER_BYTES + 1)
    if len(raw) > MEMBER_BYTES:
        raise OverLimit(f"{name} holds more than {MEMBER_BYTES} bytes")
    return raw.decode("utf-8", "replace")


def main() -> None:
    limit_self()
    sys.stdout.write(json.dumps(examine(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
