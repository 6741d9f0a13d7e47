"""An alert at three in the morning names a page that is there, of a metric that is counted.

Incident: rules were written from memory; a metric that is spelled otherwise never fires.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULES = (ROOT / "deploy" / "telemetry" / "alerts.yml").read_text(encoding="utf-8")
OUTSIDE = {"up"}  # Prometheus' own


def _anchors(page):
    heads = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {head.lower().replace(" ", "-") for head in heads}


def test_every_alert_names_a_page_and_a_paragraph_that_are_there():
    alerts = re.findall(r"alert: (\w+)", RULES)
    pages = re.findall(r"runbook: ([\w/.-]+)#([\w-]+)", RULES)
    assert len(alerts) == len(pages) > 5
    for alert, (page, anchor) in zip(alerts, pages, strict=True):
        assert anchor == alert.lower()
        assert anchor in _anchors(ROOT / page), alert


def test_every_metric_of_a_rule_is_counted_somewhere(sources):
    counted = "\n".join(source.text for source in sources)
    expressions = re.findall(r"expr: (.+)$", RULES, re.MULTILINE)
    named = {
        name
        for one in expressions
        for name in re.findall(r"\b(?:sebalai|http)_[a-z_]+\b|\bup\b", one)
    } - OUTSIDE
    assert len(named) > 5
    for name in named:
        own = name.removeprefix("sebalai_gateway_")
        assert f'"{own}"' in counted or f'"{name}"' in counted, name


def test_pages_name_files_that_are_there():
    looked = 0
    for page in (ROOT / "deploy" / "runbooks").glob("*.md"):
        for name in re.findall(
            r"deploy/(?:docker|runbooks|nats|proxy|telemetry)/[\w.-]+", page.read_text()
        ):
            looked += 1
            assert (ROOT / name).exists(), f"{page.name}: {name}"
    assert looked > 10
