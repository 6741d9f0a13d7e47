"""Identity's own OpenAPI document against what it answers."""

from sebalai_identity.app import identity_app
from sebalai_shared.testing.http import system


async def test_every_answer_is_as_the_document_says(
    settings, database, clock, asserter, misdescribed
):
    operator = system("ID-BB/GOV/diskominfo/operator", "platform.operate", "identity.people")
    app = identity_app(settings, database, clock)
    assert await misdescribed(app, lambda: asserter.headers(operator, "identity")) == []
