"""WCAG 2.2 AA: text 4.5 : 1, focus marks 3 : 1, computed from the stylesheet's own tokens."""

from __future__ import annotations

import re

import pytest
from sebalai_portal.pages import read_asset

TEXT, MARK = 4.5, 3.0
PAIRS = [
    *[(ink, ground, TEXT) for ink in ("ink", "quiet", "link") for ground in ("ground", "raised")],
    ("on-brand", "brand", TEXT),
    ("good", "good-ground", TEXT),
    ("stop", "stop-ground", TEXT),
    ("wait", "wait-ground", TEXT),
    ("link", "wait-ground", TEXT),
    ("focus", "ground", MARK),
    ("focus", "raised", MARK),
    ("focus", "wait-ground", MARK),
]


def _schemes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root\s*{(.*?)}", read_asset("base.css").decode(), re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block)) for block in blocks)
    return {"light": light, "dark": light | dark}


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_colours_contrast_enough(scheme, ink, ground, least):
    tokens = _schemes()[scheme]
    high, low = sorted((_luminance(tokens[ink]), _luminance(tokens[ground])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= least


def test_focus_is_shown_and_never_taken_away():
    style = (read_asset("base.css") + read_asset("portal.css")).decode()
    assert re.search(r":focus-visible\s*{\s*outline: 3px", style)
    assert re.findall(r"[^}]*{[^}]*outline: none[^}]*}", style) == [
        "\nmain:focus { outline: none }"
    ]
