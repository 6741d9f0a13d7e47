from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_portal import pages, texts
from sebalai_portal.failures import Reason

TEMPLATES = sorted((resources.files("sebalai_portal") / "templates").iterdir(), key=str)


def _messages() -> set[str]:
    environment = pages.make_environment("id", {})
    found = set()
    for template in TEMPLATES:
        for _, _, message in environment.extract_translations(template.read_text()):
            found.add(message if isinstance(message, str) else message[0])
    return found


def test_english_has_every_message_and_none_that_is_not_used():
    messages, english = _messages(), texts.catalogue("en").messages
    assert len(messages) > 40
    assert messages - set(english) == set()
    assert set(english) - messages == set()
    assert all(english.values())


def test_templates_hold_no_words_outside_the_catalogue():
    for template in TEMPLATES:
        bare = re.sub(
            r"{#.*?#}|{%.*?%}|{{.*?}}|<code>.*?</code>|<[^>]+>",
            " ",
            template.read_text(),
            flags=re.DOTALL,
        )
        words = set(re.findall(r"[A-Za-z]{3,}", bare)) - {
            "Sebalai",
            "Indonesia",
            "English",
            "doctype",
            "html",
        }
        assert words == set(), template.name


def test_every_reason_has_a_sentence_of_its_own():
    environment = pages.make_environment("id", {})
    reason = environment.get_template("parts.html").module.reason
    sentences = {str(reason({"reason": found})).strip() for found in Reason}
    assert len(sentences) == len(Reason)


async def test_visitor_switches_to_english_and_links_keep_it(visitor):
    page = (await visitor.get("/", params={"lang": "en"})).text
    assert '<html lang="en">' in page
    assert "Latest calls" in page
    assert "lang=en" in re.search(r'href="(/panggilan/[^"]+)"', page).group(1)
    assert "24 Nov 09:00:31" in page


@pytest.mark.parametrize("asked", ["id", "fr", "", "../en"])
async def test_unknown_language_is_indonesian(visitor, asked):
    assert '<html lang="id">' in (await visitor.get("/", params={"lang": asked})).text


async def test_service_without_an_english_text_keeps_the_indonesian(visitor):
    page = (await visitor.get("/", params={"lang": "en"})).text
    assert "Rekomendasi bantuan sosial (en)" in page
    assert "Ringkasan" in page


async def test_switch_keeps_the_other_choice(visitor):
    page = (await visitor.get("/", params={"portal": "tampil"})).text
    assert re.search(r'href="/\?lang=en&amp;portal=tampil"', page)


@given(st.integers(min_value=86_400, max_value=200_000_000_000))
def test_shown_time_is_seven_hours_ahead_of_utc(seconds):
    at = datetime.fromtimestamp(seconds, UTC)
    shown = texts.show_time(at, "en")
    hour = int(re.search(r" (\d\d):", shown).group(1))
    assert hour == (at.hour + 7) % 24
    assert shown.endswith(" WIB")
