"""Both languages say everything; the look is that of all members; times and networks are spelled one way."""

import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_identity.web import pages, texts, visit
from sebalai_identity.web.pages import read_asset

TEMPLATES = sorted((resources.files("sebalai_identity") / "web" / "templates").iterdir(), key=str)


def _messages():
    environment = pages.make_environment("id", {})
    found = set()
    for template in TEMPLATES:
        for _, _, message in environment.extract_translations(template.read_text()):
            found.add(message if isinstance(message, str) else message[0])
    return found


def test_english_has_every_message_and_none_that_is_not_used():
    messages, english = _messages(), texts.catalogue("en").messages
    assert len(messages) > 100
    assert messages - set(english) == set()
    assert set(english) - messages == set()
    for message, translation in english.items():
        assert set(re.findall(r"%\(\w+\)s", message)) == set(re.findall(r"%\(\w+\)s", translation))


def test_templates_hold_no_words_outside_the_catalogue():
    for template in TEMPLATES:
        bare = re.sub(
            r"{#.*?#}|{%.*?%}|{{.*?}}|<code>.*?</code>|<input[^{]*|<[^>]+>",
            " ",
            template.read_text(),
            flags=re.DOTALL,
        )
        known = {"Sebalai", "Indonesia", "English", "doctype", "html"}
        words = set(re.findall(r"(?<![\w=\"-])[A-Z][a-z]{2,}", bare)) - known
        assert words == set(), template.name


def test_pages_wear_the_look_of_all_members_and_change_none_of_it():
    page = pages.Pages().html("problem.html", "id", kind="other").body.decode()
    linked = re.findall(r'href="/sign-in/assets/[0-9a-f]{12}/([a-z]+\.css)"', page)
    assert linked == ["base.css", "identity.css"]
    own = read_asset("identity.css").decode()
    assert ":root" not in own
    assert "outline" not in own


@given(st.text(max_size=200))
def test_any_accept_language_is_answered_in_a_language_we_have(header):
    assert texts.language_of(None, (), header) in texts.LANGUAGES


@pytest.mark.parametrize(
    ("url", "origin", "is_ours"),
    [
        ("https://bus.example", "https://bus.example", True),
        ("https://bus.example", "http://bus.example", False),
        ("https://bus.example", "https://bus.example.evil", False),
        ("http://127.0.0.1:8800", "http://localhost:8800", True),
        ("http://127.0.0.1:8800", "http://localhost:8801", False),
    ],
)
def test_only_our_own_origin_may_send_forms(url, origin, is_ours):
    assert (origin in visit.origins_of(url)) == is_ours


AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36"


@pytest.mark.parametrize(("agent", "name"), [(AGENT, "Chrome, Linux"), ("curl/8", ""), ("", "")])
def test_browser_is_named_in_two_words(agent, name):
    assert visit.device_name(agent) == name
