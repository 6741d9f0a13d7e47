"""The catalogue's own OpenAPI document against what it answers."""

from sebalai_shared.testing.http import system


async def test_every_answer_is_as_the_document_says(app, asserter, misdescribed):
    operator = system("ID-BB/GOV/diskominfo/operator", "platform.operate", "catalog.manage")
    assert await misdescribed(app, lambda: asserter.headers(operator, "catalog")) == []
