async def test_letter_types_come_in_the_order_of_the_rule_and_marked(anonymous):
    first = (await anonymous.get("/v1/letter-types?limit=20")).json()
    rest = (await anonymous.get(f"/v1/letter-types?cursor={first['next']}")).json()
    items = first["items"] + rest["items"]
    assert len(items) == 21
    assert items[0]["code"] == "peraturan"
    assert rest["next"] is None
    assert {item["provenance"]["status"] for item in items} == {"partly"}


async def test_a_foreign_cursor_is_refused(anonymous):
    for cursor in ("WyJ4Il0", "Wy0xXQ", "Wzk5OTk5OTk5OTk5XQ"):
        assert (await anonymous.get(f"/v1/letter-types?cursor={cursor}")).status_code == 422
