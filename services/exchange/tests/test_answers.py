"""Exchange's own OpenAPI document against what it answers."""

from sebalai_exchange.app import exchange_app
from sebalai_shared.testing.http import system


async def test_every_answer_is_as_the_document_says(settings, database, clock, misdescribed):
    operator = system("ID-BB/GOV/diskominfo/operator", "platform.operate", "exchange.manage")
    app, asserter = exchange_app(settings, database, clock), settings._asserter
    assert await misdescribed(app, lambda: asserter.headers(operator, "exchange")) == []
