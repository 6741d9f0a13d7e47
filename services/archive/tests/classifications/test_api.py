import pytest


async def walk(client, path, **params):
    items, cursor = [], None
    while True:
        page = (
            await client.get(path, params=params | ({"cursor": cursor} if cursor else {}))
        ).json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


async def test_codes_come_in_natural_order_and_none_is_lost(anonymous):
    items = await walk(anonymous, "/v1/classifications", limit=7)
    codes = [item["code"] for item in items]
    assert len(codes) == 200
    assert codes == sorted(codes, key=lambda code: [int(part) for part in code.split(".")])
    assert codes.index("000.1.9") < codes.index("000.1.10")


async def test_a_parent_lists_its_own_children_only(anonymous):
    items = await walk(anonymous, "/v1/classifications", parent="000.5.3")
    assert {item["parent"] for item in items} == {"000.5.3"}


async def test_unverified_and_inferred_codes_stay_marked(anonymous, reference):
    items = await walk(anonymous, "/v1/classifications", limit=100)
    marks = {item["code"]: item["provenance"]["status"] for item in items}
    for row in reference.rows("archive_classification"):
        assert (
            marks[row["code"]] == reference.provenance("archive_classification", row["code"]).status
        )
    assert {"verified", "unverified", "inferred"} <= set(marks.values())


@pytest.mark.parametrize("code", ["400.02", "40", "400..2", "400.2.", "x", "400.2%00", "400.12345"])
async def test_a_code_of_another_form_is_malformed(anonymous, code):
    assert (await anonymous.get(f"/v1/classifications/{code}")).status_code == 422


async def test_an_unknown_code_is_told_so(anonymous):
    answer = await anonymous.get("/v1/classifications/999.9")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("cursor", ["WyJ4Il0", "W10", "!!", "WzFd"])
async def test_a_foreign_cursor_is_refused(anonymous, cursor):
    assert (await anonymous.get(f"/v1/classifications?cursor={cursor}")).status_code == 422
