"""No address of the archive tells an outsider whether a secret record exists.

Every operation of the OpenAPI document is asked about the secret and about an id that nothing has:
the two answers must be the same, whatever they are. A new operation is walked without being named.
"""

import base64
import re
from itertools import product

import pytest
from sebalai_archive.examinations.jobs import examine_contents
from sebalai_archive.harvest.jobs import publish_changes
from sebalai_archive.search.jobs import index_records
from sebalai_archive.storing import content_store_of
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system

from services.archive.tests.records.conftest import Desk

OPERATOR = system("ID-BB/GOV/diskominfo/operasi", "platform.operate")
TITLE, NUMBER = "Operasi Rajawali Malam", "R-77/RHS/2026"
PEOPLE = {name: f"p-{name}" for name in
          ("reviewer", "approver", "executor", "witness_legal", "witness_supervision")}  # fmt: skip
# Where an empty body would be refused before anybody looks: one that is read to its end.
BODIES = {
    "post /v1/records/{record_id}/needs": {"kind": "leave", "agency": "dp3acskb", "reason": "r"},
    "put /v1/records/{record_id}/relations": {"kind": "refers_to", "record": "ID"},
    "put /v1/records/{record_id}/trigger": {"trigger": "setelah_pemeriksaan", "date": "2026-01-01", "reason": "r"},
    "put /v1/records/{record_id}/loan": {"borrower": "x", "agency": "x", "reason": "r", "due_at": "2027-01-01T00:00:00Z"},
    "post /v1/holds": {"reason": "r", "reference": "1", "records": ["ID"]},
    "post /v1/disposals": {"kind": "destruction", "records": ["ID"], "people": PEOPLE},
    "post /v1/incoming-letters": {"sender": "x", "subject": "x", "addressed_to": "x", "record_id": "ID"},
}  # fmt: skip
FILLED = {"code": "000.1.5", "subject": "orang", "kind": "active", "step": "appraise", "place": "0"}
QUERIES = {
    "/v1/search": [{"q": "rajawali"}, {"q": NUMBER}, {"q": "notula rahasia"}, {"q": "rajawli malm"}],
    "/v1/packages": [{"record": "ID"}],
    "/v1/oai": [
        {"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "urn:uuid:ID"},
        {"verb": "ListMetadataFormats", "identifier": "urn:uuid:ID"},
        {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"},
        {"verb": "ListSets"},
    ],
    "/v1/incoming-letters": [{"q": "rajawali"}, {"q": NUMBER}],
    "/v1/outgoing-letters": [{"q": "rajawali"}, {"q": NUMBER}],
    "/v1/proposals": [{}, {"act": "destroy"}],
}  # fmt: skip
METHODS = ("get", "head", "post", "put", "patch", "delete")


def operations(app):
    found = [
        (method, path)
        for path, item in app.openapi()["paths"].items()
        for method in item
        if method in METHODS
    ]
    assert len(found) > 75, "the walk saw too little"
    return found


def with_id(value, subject):
    if isinstance(value, dict):
        return {name: with_id(one, subject) for name, one in value.items()}
    if isinstance(value, list):
        return [with_id(one, subject) for one in value]
    return value.replace("ID", subject) if isinstance(value, str) else value


def filled(path, subject):
    return re.sub(r"\{(\w+)\}", lambda found: FILLED.get(found[1], subject), path)


async def asked(client, operation, query, subject):
    """What is told, without what differs each time."""
    method, path = operation
    headers = {"idempotency-key": str(uuid7())}
    if path == "/v1/uploads":
        name = base64.b64encode(subject.encode()).decode()
        headers |= {
            "tus-resumable": "1.0.0",
            "upload-length": "3",
            "upload-metadata": f"record_id {name}",
        }
    body = BODIES.get(f"{method} {path}")
    options = {} if method in {"get", "head", "delete"} else {"json": with_id(body or {}, subject)}
    answer = await client.request(
        method, filled(path, subject), params=with_id(query, subject), headers=headers, **options
    )
    told = "\n".join((answer.text, *(f"{k}: {v}" for k, v in answer.headers.items())))
    told = re.sub(
        r'"trace_id":"\w+"|sebalai-trace: \w+|<responseDate>\S+|\ndate: .*|content-length: \d+',
        "",
        told,
    )
    return answer.status_code, told.replace(subject, "ID")


@pytest.fixture
async def secret(writer, database, settings, clock):
    """Declared, examined, indexed, and shown to harvesters if that were its due."""
    desk = Desk(writer)
    record_id = await desk.draft(security_class="rahasia", title=TITLE, number=NUMBER)
    await desk.put(record_id, b"Notula rahasia tentang rajawali")
    declared = await desk.declare(record_id, trigger_date="2010-01-01")
    await examine_contents(database, content_store_of(settings), clock, None)
    await index_records(database, clock)
    await publish_changes(database, clock)
    return declared.json()


@pytest.fixture
async def staff(client_of):
    standing = {"agency": "dinsos-pmd", "rank": "staff", "unit": "lain"}
    await client_of(OPERATOR).put("/v1/standings/staf", json=standing)
    return client_of(Caller(kind="civil_servant", subject="staf", agency="dinsos-pmd"))


@pytest.fixture(params=["stranger", "anonymous", "staff", "operator"])
def outsider(request, client_of):
    if request.param == "operator":
        return client_of(OPERATOR)
    return request.getfixturevalue(request.param)


async def test_no_operation_tells_the_secret_from_nothing(app, outsider, secret):
    names = (TITLE, "Rajawali", NUMBER, secret["content"]["sha256"],
             secret["declaration"]["commitment"], secret["declaration"]["salt"])  # fmt: skip
    wrong, walked = [], 0
    for operation in operations(app):
        for query in QUERIES.get(operation[1], [{}]):
            told = await asked(outsider, operation, query, secret["id"])
            nothing = await asked(outsider, operation, query, str(uuid7()))
            if told != nothing or any(name in told[1] for name in names):
                wrong.append((operation, query, told, nothing))
            walked += 1
    assert [(one[0], one[1]) for one in wrong] == [], wrong[:3]
    assert walked > 80


async def test_the_walk_finds_what_its_owner_may_see(app, writer, secret):
    """The test above is able to fail: to the owner the same answers differ."""
    seen = set()
    for operation, query in product(operations(app), [{}]):
        if operation[0] != "get":
            continue
        told = await asked(writer, operation, query, secret["id"])
        if told != await asked(writer, operation, query, str(uuid7())):
            seen.add(operation[1])
    wanted = {"/v1/records/{record_id}", "/v1/records/{record_id}/content",
              "/v1/records/{record_id}/examination", "/v1/records/{record_id}/relations"}  # fmt: skip
    assert wanted <= seen
