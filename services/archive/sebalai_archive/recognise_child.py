"""Reads the text of one scan and prints it as JSON; a process of its own, meant to be killed.

`python -m sebalai_archive.recognise_child PROGRAM LANGUAGES NICENESS PATH`. PDFium draws each page,
Tesseract reads it from a pipe: nothing is written. Memory and time are limited before the file is
opened, and both limits hold for Tesseract too, which this process starts.
"""

import json
import math
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEMORY_BYTES = 2 * 1024**3  # of each of the two processes
CPU_SECONDS = 240
PAGE_SECONDS = 300.0  # on a wall clock, for a busy machine; the processor is limited above
PAGES_READ = 50
PIXELS_MAX = 40_000_000  # an A3 page at 300 dots an inch has 17 million
DOTS_PER_INCH = 300
POINTS_PER_INCH = 72
TEXT_CHARACTERS = 500_000


def limit_self(niceness: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.nice(niceness)
    # Several threads make it six times slower, not faster (25.8 s a page instead of 4.0 s).
    os.environ["OMP_THREAD_LIMIT"] = "1"


def recognise(program: str, languages: str, path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        is_pdf = b"%PDF-" in file.read(1024)
    parts, size, pages = list[str](), 0, 0
    for image in _pages(path) if is_pdf else [path.read_bytes()]:
        text = _read(program, languages, image)
        parts.append(text)
        size, pages = size + len(text), pages + 1
        if size > TEXT_CHARACTERS:
            break
    body = "\n".join(parts).replace("\x00", " ").strip()[:TEXT_CHARACTERS]
    return {"state": "done" if body else "empty", "pages": pages, "body": body}


def _pages(path: Path) -> Iterator[bytes]:
    """The first pages as grey pictures (PGM)."""
    import pypdfium2  # noqa: PLC0415 - only in the child

    document = pypdfium2.PdfDocument(path.open("rb"), autoclose=True)
    for number in range(min(len(document), PAGES_READ)):
        page = document[number]
        area = max(page.get_width() * page.get_height(), 1.0)
        scale = min(DOTS_PER_INCH / POINTS_PER_INCH, math.sqrt(PIXELS_MAX / area))
        yield _pgm(page.render(scale=scale, grayscale=True))  # pyright: ignore[reportArgumentType] - annotated as int
        page.close()


def _pgm(bitmap: Any) -> bytes:
    """Lines without the padding that PDFium puts behind each."""
    raw, width = bytes(bitmap.buffer), bitmap.width
    lines = (raw[start : start + width] for start in range(0, len(raw), bitmap.stride))
    return b"P5 %d %d 255\n" % (width, bitmap.height) + b"".join(lines)


def _read(program: str, languages: str, image: bytes) -> str:
    """Raises `subprocess.SubprocessError`."""
    done = subprocess.run(
        [program, "stdin", "stdout", "-l", languages, "--psm", "1"],
        input=image, capture_output=True, check=True, timeout=PAGE_SECONDS,
    )  # fmt: skip
    return done.stdout.decode("utf-8", "replace")


def main() -> None:
    program, languages, niceness, path = sys.argv[1:]
    limit_self(int(niceness))
    sys.stdout.write(json.dumps(recognise(program, languages, Path(path))))


if __name__ == "__main__":
    main()
