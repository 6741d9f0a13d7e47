"""A stand-in for a scanner: paper as a picture, and a PDF that shows it and holds no text."""

import zlib

import pypdfium2
from sebalai_archive.recognise_child import _pgm

DOTS_PER_INCH = 200


def picture_of(pdf):
    """The first page in grey (PGM)."""
    page = pypdfium2.PdfDocument(pdf)[0]
    return _pgm(page.render(scale=DOTS_PER_INCH / 72, grayscale=True))


def pdf_of(pgm, pages=1):
    """A PDF that shows one picture and holds no text, as scanners make them."""
    head, _, raw = pgm.partition(b"\n")
    _, width, height, _ = head.split()
    data = zlib.compress(raw)
    kids = b" ".join(b"%d 0 R" % (number + 5) for number in range(pages))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 3 0 R/Resources<</XObject<</I 4 0 R>>>>>>"
    draw = b"q 595 0 0 842 0 0 cm /I Do Q"
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Length %d>>stream\n%s\nendstream" % (len(draw), draw),
        b"<</Type/XObject/Subtype/Image/Width %s/Height %s/ColorSpace/DeviceGray/BitsPerComponent 8"
        b"/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (width, height, len(data), data),
        *[page] * pages,
    ]
    out = b"%PDF-1.4\n"
    for number, part in enumerate(parts, start=1):
        out += b"%d 0 obj%s endobj\n" % (number, part)
    return out + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF\n" % (len(parts) + 1)
