async def test_anyone_reads_the_rule_of_a_code_with_its_exception_and_mark(anonymous):
    rule = (await anonymous.get("/v1/retention-rules/000.1.5")).json()
    assert (rule["active_years"], rule["inactive_years"]) == (1, 1)
    assert rule["exception"].startswith("Musnah, kecuali")
    assert rule["provenance"]["status"] == "partly"


async def test_the_nearest_rule_above_governs_a_deeper_code(anonymous):
    rule = (await anonymous.get("/v1/retention-rules/000.1.5.7.1")).json()
    assert rule["classification"] == "000.1.5"


async def test_a_code_without_a_rule_above_is_told_so(anonymous):
    answer = await anonymous.get("/v1/retention-rules/999")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:sebalai:problem:retention-rule-unknown"


async def test_no_rule_is_lost_between_pages(anonymous):
    codes, cursor = [], None
    while True:
        params = {"limit": 20} | ({"cursor": cursor} if cursor else {})
        page = (await anonymous.get("/v1/retention-rules", params=params)).json()
        codes += [item["classification"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(codes) == len(set(codes)) == 55
