from decimal import Decimal
from fractions import Fraction

import pytest

ROWS = {
    "audiences": 5,
    "rab_sectors": 9,
    "indicators": 67,
    "grade_bands": 14,
    "skm_elements": 9,
    "complaint_deadlines": 6,
}


async def walk(client, name):
    items, cursor = [], None
    while True:
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(f"/v1/reference/{name}", params=params)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next"]
        if cursor is None:
            return items


@pytest.mark.parametrize("name", ROWS)
async def test_anyone_reads_each_list_whole_and_marked(loaded, anonymous, name):
    items = await walk(anonymous, name)
    assert len(items) == ROWS[name]
    for item in items:
        assert item["provenance"]["status"]
        assert item["provenance"]["source"]


async def test_weights_are_exact_and_sum_to_a_hundred(loaded, anonymous):
    items = await walk(anonymous, "indicators")
    for scheme in ("spbe", "pemdi"):
        weights = [Decimal(item["weight"]) for item in items if item["scheme"] == scheme]
        assert sum(weights) == 100
    assert items[31]["weight"] == "2.75"


async def test_the_nine_ninths_are_one_and_the_rounded_ones_are_not(loaded, anonymous):
    items = await walk(anonymous, "skm_elements")
    assert sum(Fraction(item["weight"]) for item in items) == 1
    assert sum(Decimal(item["weight_rounded"]) for item in items) == Decimal("0.99")


async def test_rows_that_are_only_partly_verified_stay_marked(loaded, anonymous):
    bands = await walk(anonymous, "grade_bands")
    marks = {band["scale"]: band["provenance"]["status"] for band in bands}
    assert marks == {"spbe": "partly", "pemdi": "verified", "skm": "verified"}
    elements = {e["code"]: e["provenance"]["status"] for e in await walk(anonymous, "skm_elements")}
    assert (elements["U7"], elements["U8"], elements["U9"]) == ("verified", "partly", "partly")


async def test_an_unknown_list_is_told_so(loaded, anonymous):
    assert (await anonymous.get("/v1/reference/unknown")).status_code == 404


@pytest.mark.parametrize("cursor", ["WyJ4Il0", "W10", "!!", "Wy0xXQ", "Wzk5OTk5OTk5OTk5XQ"])
async def test_a_foreign_cursor_is_refused(anonymous, cursor):
    assert (await anonymous.get(f"/v1/reference/audiences?cursor={cursor}")).status_code == 422
