from __future__ import annotations

import re

import pytest
from sebalai_portal.app import portal_app
from sebalai_shared.testing.http import in_process

PAGES = ["/", "/panggilan/019a0000-0000-7000-8000-000000000001", "/tidak-ada", "/livez"]


@pytest.mark.parametrize("path", PAGES)
async def test_every_answer_carries_the_security_headers(visitor, path):
    headers = (await visitor.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES[:3])
async def test_pages_hold_nothing_the_policy_forbids(visitor, path):
    text = (await visitor.get(path)).text
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://", text)


async def test_stylesheet_is_kept_for_ever_under_an_address_of_its_content(visitor):
    page = (await visitor.get("/")).text
    address = re.search(r'href="(/aset/[^"]+\.css)"', page).group(1)
    style = await visitor.get(address)
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in style.headers["Cache-Control"]
    assert len(style.content) < 12_000
    assert (await visitor.get("/aset/000000000000/portal.css")).status_code == 404
    assert (await visitor.get("/aset/000000000000/..%2fapp.py")).status_code == 404


async def test_pages_themselves_are_not_kept(visitor):
    assert (await visitor.get("/")).headers["Cache-Control"] == "no-store"


async def test_head_is_answered_without_a_body(visitor):
    answer = await visitor.head("/")
    assert answer.status_code == 200


async def test_writing_is_refused_with_a_page(visitor):
    answer = await visitor.post("/")
    assert answer.status_code == 405
    assert "hanya dapat dibaca" in answer.text


async def test_fault_is_a_page_without_its_cause(visitor, monkeypatch):
    transport_app = visitor._transport.app
    transport_app.state.desk = None
    answer = await visitor.get("/")
    assert answer.status_code == 500
    assert "Ada gangguan pada portal" in answer.text
    assert "AssertionError" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_ready_names_the_gateway(visitor, gateway):
    assert (await visitor.get("/readyz")).json()["parts"] == {"gateway": "ok"}
    gateway.fails["livez"] = 503
    answer = await visitor.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {"gateway": "failing"}


async def test_unreachable_gateway_leaves_a_page_that_says_so(settings, clock):
    app = portal_app(settings.model_copy(update={"gateway_url": "http://127.0.0.1:9"}), clock)
    async with app.router.lifespan_context(app), in_process(app) as client:
        page = await client.get("/")
        assert page.status_code == 200
        assert page.text.count("Gerbang bus tidak dapat dihubungi.") == 3
