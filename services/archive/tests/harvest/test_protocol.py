"""OAI-PMH 2.0 by its own sections: verbs, errors, dates, sets, tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.harvest import actions
from sebalai_archive.harvest.api import FIELDS_MAX
from sebalai_archive.harvest.asking import Refused, listing_of, read_ask

from services.archive.tests.conftest import NOW
from services.archive.tests.harvest.conftest import NAMES, errors, identifiers

LIST = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
ABSENT = "urn:uuid:019a0000-0000-7000-8000-000000000000"
# Section 3.6 and the tables of section 4.
REFUSALS = [
    ({}, "badVerb"),
    ({"verb": "Steal"}, "badVerb"),
    ({"verb": "Identify", "x": "1"}, "badArgument"),
    ({"verb": "GetRecord", "identifier": ABSENT}, "badArgument"),
    ({"verb": "GetRecord", "metadataPrefix": "oai_dc"}, "badArgument"),
    ({"verb": "ListRecords"}, "badArgument"),
    (LIST | {"resumptionToken": "x"}, "badArgument"),
    (LIST | {"from_": "2026-13-01"}, "badArgument"),
    (LIST | {"from_": "2026-02-30"}, "badArgument"),
    (LIST | {"from_": "2026-11-24T03:00:00"}, "badArgument"),
    (LIST | {"from_": "2026-11-24T03:00:00.5Z"}, "badArgument"),
    (LIST | {"from_": "2026-11-25", "until": "2026-11-24"}, "badArgument"),
    (LIST | {"from_": "2026-11-24", "until": "2026-11-25T00:00:00Z"}, "badArgument"),
    (LIST | {"metadataPrefix": "marc"}, "cannotDisseminateFormat"),
    ({"verb": "GetRecord", "identifier": ABSENT, "metadataPrefix": "x"}, "cannotDisseminateFormat"),
    ({"verb": "GetRecord", "identifier": ABSENT, "metadataPrefix": "oai_dc"}, "idDoesNotExist"),
    ({"verb": "GetRecord", "identifier": "oai:x:1", "metadataPrefix": "oai_dc"}, "idDoesNotExist"),
    ({"verb": "ListMetadataFormats", "identifier": ABSENT}, "idDoesNotExist"),
    ({"verb": "ListRecords", "resumptionToken": "x"}, "badResumptionToken"),
    ({"verb": "ListSets", "resumptionToken": "x"}, "badResumptionToken"),
    (LIST | {"set": "agency:tidak-ada"}, "noRecordsMatch"),
    (LIST | {"set": "'; DROP TABLE record; --"}, "noRecordsMatch"),
    (LIST | {"from_": "2999-01-01"}, "noRecordsMatch"),
    (LIST | {"until": "0001-01-01"}, "noRecordsMatch"),
]


@pytest.mark.parametrize(("arguments", "code"), REFUSALS)
async def test_each_wrong_request_has_its_error(ask, shelf, arguments, code):
    await shelf.keep()
    await shelf.show()
    document = await ask(**arguments)
    assert errors(document) == [code]
    said = document.find("o:request", NAMES).attrib
    assert bool(said) == (code not in {"badVerb", "badArgument"})


async def test_a_repeated_argument_is_refused(anonymous):
    for query, code in (("verb=Identify&verb=Identify", "badVerb"),
                        ("verb=ListRecords&metadataPrefix=mods&metadataPrefix=mods", "badArgument"),
                        ("verb=Identify&" + "a=1&" * FIELDS_MAX, "badVerb")):  # fmt: skip
        assert f'code="{code}"' in (await anonymous.get(f"/v1/oai?{query}")).text


async def test_it_says_who_it_is(ask, shelf):
    await shelf.keep()
    await shelf.show()
    body = (await ask(verb="Identify")).find("o:Identify", NAMES)
    told = {one.tag.partition("}")[2]: one.text for one in body}
    assert told["baseURL"] == "https://bus.example/api/archive/v1/oai"
    assert (told["protocolVersion"], told["deletedRecord"]) == ("2.0", "persistent")
    assert told["granularity"] == "YYYY-MM-DDThh:mm:ssZ"
    assert told["earliestDatestamp"].endswith("Z")


async def test_a_form_asks_as_well_as_a_query(anonymous, shelf):
    identifier = await shelf.keep()
    await shelf.show()
    answer = await anonymous.post("/v1/oai", data=LIST)
    assert identifier in answer.text


async def test_formats_and_sets_are_listed(ask, shelf):
    await shelf.keep(agency="dinkes")
    await shelf.show()
    formats = (await ask(verb="ListMetadataFormats")).findall(".//o:metadataPrefix", NAMES)
    assert [one.text for one in formats] == ["oai_dc", "mods"]
    named = [one.text for one in (await ask(verb="ListSets")).findall(".//o:setSpec", NAMES)]
    assert {"agency:dinkes", "classification:000", "classification:900"} <= set(named)


async def test_sets_divide_and_dates_bound(ask, shelf):
    here = await shelf.keep()
    there = await shelf.keep(agency="dinkes", code="800.1.2.2")
    await shelf.show()
    for name, wanted in (("agency:dinkes", [there]), ("classification:000", [here])):
        assert identifiers(await ask(**LIST, set=name)) == wanted
    stamp = (await ask(**LIST)).find(".//o:datestamp", NAMES).text
    assert identifiers(await ask(**LIST, from_=stamp, until=stamp)) == [here, there]
    assert identifiers(await ask(**LIST, from_=stamp[:10], until=stamp[:10])) == [here, there]


async def test_an_item_is_told_in_both_formats(ask, shelf):
    hostile = 'Rapat <b>&amp; "x" ]]> \ufffe\u0085'
    identifier = await shelf.keep(title=hostile, description="baris satu\nbaris dua")
    await shelf.show()
    get = {"verb": "GetRecord", "identifier": identifier}
    dc = await ask(**get, metadataPrefix="oai_dc")
    assert dc.find(".//dc:title", NAMES).text == hostile.replace("\ufffe", "")
    assert dc.find(".//dc:rights", NAMES).text == "SKKAAD: biasa"
    mods = await ask(**get, metadataPrefix="mods")
    assert mods.find(".//mods:classification", NAMES).text == "000.1.5"
    assert mods.find(".//mods:abstract", NAMES).text == "baris satu\nbaris dua"


async def test_a_destroyed_record_stays_as_deleted_and_moves_to_the_end(ask, shelf):
    first, second = await shelf.keep(title="Rahasia dahulu"), await shelf.keep()
    await shelf.show()
    await shelf.destroy(first)
    await shelf.show()
    document = await ask(**LIST)
    assert identifiers(document) == [second, first]
    [_, header] = document.findall(".//o:header", NAMES)
    assert header.get("status") == "deleted"
    assert len(document.findall(".//o:metadata", NAMES)) == 1


async def test_tokens_lead_through_the_whole_list(ask, shelf, monkeypatch):
    monkeypatch.setattr(actions, "RECORDS_A_PAGE", 2)
    kept = [await shelf.keep() for _ in range(5)]
    await shelf.show()
    document, found = await ask(**LIST), []
    while True:
        found += identifiers(document)
        token = document.find(".//o:resumptionToken", NAMES)
        if not token.text:
            break
        assert token.get("expirationDate")
        document = await ask(verb="ListRecords", resumptionToken=token.text)
    assert found == kept


async def test_what_changes_during_a_harvest_comes_at_its_end(ask, shelf, monkeypatch):
    monkeypatch.setattr(actions, "RECORDS_A_PAGE", 2)
    kept = [await shelf.keep() for _ in range(3)]
    await shelf.show()
    document = await ask(**LIST)
    assert identifiers(document) == kept[:2]
    token = document.find(".//o:resumptionToken", NAMES).text
    await shelf.destroy(kept[2])
    late = await shelf.keep()
    await shelf.show()
    document = await ask(verb="ListRecords", resumptionToken=token)
    assert identifiers(document) == [kept[2], late]


async def test_a_token_of_another_verb_or_an_old_one_is_refused(ask, shelf, monkeypatch):
    monkeypatch.setattr(actions, "HEADERS_A_PAGE", 1)
    for _ in range(2):
        await shelf.keep()
    await shelf.show()
    document = await ask(verb="ListIdentifiers", metadataPrefix="oai_dc")
    token = document.find(".//o:resumptionToken", NAMES).text
    assert errors(await ask(verb="ListRecords", resumptionToken=token)) == ["badResumptionToken"]
    again = read_ask([("verb", "ListIdentifiers"), ("resumptionToken", token)])
    with pytest.raises(Refused):
        listing_of(again, NOW.replace(year=2099))


@given(st.text(max_size=80), st.sampled_from(["ListRecords", "ListIdentifiers"]))
def test_no_token_of_strangers_breaks_anything(token, verb):
    with pytest.raises(Refused) as refused:
        listing_of(read_ask([("verb", verb), ("resumptionToken", token)]), NOW)
    assert refused.value.code == "badResumptionToken"


@given(st.lists(st.tuples(st.sampled_from(["verb", "from", "set", "x"]), st.text(max_size=30))))
def test_any_arguments_are_read_or_refused(pairs):
    try:
        ask = read_ask(pairs)
    except Refused:
        return
    assert ask.verb
