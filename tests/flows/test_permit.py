"""A business asks for a groundwater permit: the catalogue's one story, through the gateway alone.

Another agency holds what it must prove; it is fetched over the bus with consent, once.
"""

import base64
import hashlib
import json
import time

import httpx
import pytest

from tests.flows.actors import Actor

pytestmark = pytest.mark.flow

SERVICE, KIND = "izin-pengusahaan-air-tanah", "data-kependudukan"
PDF = b"%PDF-1.7 peta lokasi sumur bor"
ELEMENTS = 9


def test_a_permit_from_consent_to_product_and_into_the_figures(platform):
    business = Actor(platform, "dinkop-ukm/usaha-tirta", "bus.call")
    request = _filed(platform, business)
    officer = Actor(platform, "dpmptsp/loket", "bus.call", "catalog.write")
    _returned_and_corrected(business, officer, request)
    cashier = Actor(platform, "dpmptsp/kas", "bus.call", "catalog.write")
    _paid_and_examined(officer, cashier, request)
    head = Actor(platform, "dpmptsp/kepala", "bus.call", "catalog.decide", "archive.write")
    _issued_with_its_record(head, business, request)
    _asked_and_counted(platform, business, request)
    _receipt_in_hand(platform, business, officer, request)
    _fetch_counted_as_use(platform, head)
    _catalogues_shown(platform)
    _processing_registered(platform)


def _filed(platform, business):
    """A draft whose identity card the population registry answers, after consent and preview."""
    draft = business.ask("POST", "/v1/requests", json={"service": SERVICE}, expected=201).json()
    url = f"/v1/requests/{draft['id']}"
    wanted = business.ask("GET", f"{url}/evidence").json()["requirements"]
    assert {one["code"]: (one["holder"], one["fetch"]) for one in wanted} == {
        "nib": ("dpmptsp", False), "ktp": ("dp3acskb", True), "lingkungan": ("dlhk", False),
    }  # fmt: skip
    person = platform.call().json()["items"][0]
    served = platform.provider_count()
    said = {"explicit": True, "policy": "2026-1"}
    evidence = f"{url}/evidence/{KIND}"
    consent = business.ask("POST", f"{evidence}/consents", json=said, expected=201).json()
    subject = {"nik": person["nik"], "family": person["family"]}
    body = {"consent": consent["id"], "subject": subject}
    for _ in range(2):
        shown = business.ask("POST", f"{evidence}/preview", json=body).json()
    assert platform.provider_count() == served + 1
    assert shown["document"]["name"] == person["name"]
    assert person["nik"] not in json.dumps(shown)
    business.ask("POST", f"{evidence}/acceptance", json={"consent": consent["id"]})
    revision = business.ask("GET", url).json()["revision"]
    answers = {code: {"value": f"isi {code}"} for code in ("nib", "lingkungan", "rencana")}
    body = {"revision": revision, "answers": answers}
    revision = business.ask("PUT", f"{url}/answers", json=body).json()["revision"]
    _upload(business, url, revision, PDF)
    return business.act(draft, "submit")


def _upload(business, url, revision, content):
    params = {"revision": revision, "name": "peta.pdf"}
    headers = {"content-type": "application/pdf"}
    where = f"{url}/documents/peta"
    return business.ask("PUT", where, content=content, params=params, headers=headers).json()


def _returned_and_corrected(business, officer, request):
    officer.act(request, "verify")
    marks = [{"code": "peta", "reason": "Koordinat tidak terbaca"}]
    returned = officer.act(request, "return", reason="Perbaiki peta", marks=marks)
    assert (returned["state"], returned["clock"]["mode"]) == ("returned", "off")
    url = f"/v1/requests/{request['id']}"
    body = {"revision": returned["revision"], "answers": {"rencana": {"value": "lain"}}}
    business.ask("PUT", f"{url}/answers", json=body, expected=422)
    _upload(business, url, returned["revision"], PDF + b", koordinat jelas")
    assert business.act(request, "resubmit")["state"] == "verifying"


def _paid_and_examined(officer, cashier, request):
    assert officer.act(request, "accept")["state"] == "awaiting_payment"
    url = f"/v1/requests/{request['id']}/bill"
    bill = officer.ask("GET", url).json()
    money = {"slip": f"KW-{bill['code']}", "rupiah": bill["rupiah"]}
    officer.ask("POST", f"{url}/payments", json=money, expected=403)
    assert cashier.ask("POST", f"{url}/payments", json=money).json()["state"] == "paid"
    now = officer.ask("GET", f"/v1/requests/{request['id']}").json()
    assert (now["state"], now["clock"]["mode"]) == ("processing", "running")
    for task in now["tasks"]:
        if task["role"] == "officer":
            officer.act(request, "complete_task", task=task["id"])


def _issued_with_its_record(head, business, request):
    body = {"title": f"Izin air tanah {request['ticket']}", "classification": "500.16.7.2"}
    record = head.ask("POST", "/v1/records", member="archive", json=body, expected=201).json()
    content = b"%PDF-1.7 izin pengusahaan air tanah"
    digest = hashlib.sha256(content)
    where = f"/v1/records/{record['id']}"
    headers = {
        "content-type": "application/pdf",
        "content-digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:",
    }
    put = {"member": "archive", "content": content, "headers": headers}
    head.ask("PUT", f"{where}/content", **put)
    head.ask("POST", f"{where}/declaration", member="archive")
    product = {"number": "503/1/2026", "record_id": record["id"], "sha256": digest.hexdigest()}
    assert head.act(request, "issue", **product)["state"] == "issued"
    seen = business.ask("GET", f"/v1/requests/{request['id']}").json()
    assert seen["product"]["record_id"] == record["id"]
    declared = head.ask("GET", where, member="archive").json()
    assert declared["state"] == "declared"
    assert declared["content"]["sha256"] == digest.hexdigest()
    kept = head.ask("GET", f"{where}/content", member="archive").content
    assert hashlib.sha256(kept).hexdigest() == seen["product"]["sha256"]


def _asked_and_counted(platform, business, request):
    api = f"{platform.gateway}/api/catalog/v1"
    code = business.ask("POST", "/v1/surveys/invitations", json={"request": request["id"]})
    page = httpx.get(f"{api}/reference/skm_elements").json()["items"]
    scores = {one["identifier"]: 4 for one in page}
    assert len(scores) == ELEMENTS
    answer = {"code": code.json()["code"], "scores": scores}
    assert httpx.post(f"{api}/surveys/answers", json=answer).status_code in (200, 201)
    figures = httpx.get(f"{api}/performance/services/{SERVICE}").json()["services"][0]
    counted = ("submitted", "issued", "on_time", "late", "respondents", "skm")
    assert [figures[name] for name in counted] == [1, 1, 1, 0, 1, "100.00"]


def _receipt_in_hand(platform, business, officer, request):
    """The fetch is proven by the ledger to who consented, and by the same hash to who decided."""
    consent = business.ask("GET", "/v1/consents").json()["items"][0]
    assert (consent["request_id"], consent["state"]) == (request["id"], "used")
    until = time.monotonic() + 15
    url = f"/v1/consents/{consent['id']}/receipt"
    while True:
        try:
            receipt = business.ask("GET", url).text
            break
        except AssertionError:
            assert time.monotonic() < until
            time.sleep(0.2)
    assert platform.verify(receipt).returncode == 0
    payload = json.loads(receipt)["payload"]
    assert payload["message_id"] == consent["message_id"]
    assert payload["response"]["sha256"] == consent["answer_sha256"]
    assert (payload["consumer"], payload["purpose"], payload["status"]) == (
        "ID-BB/GOV/dpmptsp/perizinan", "layanan-publik", 200,
    )  # fmt: skip
    used = officer.ask("GET", f"/v1/requests/{request['id']}").json()["answers"]["ktp"]
    assert used["consent"] == consent["id"]
    where = f"/v1/requests/{request['id']}/documents/ktp/{used['sha256']}"
    assert hashlib.sha256(officer.ask("GET", where).content).hexdigest() == consent["sha256"]
    ended = business.ask("POST", f"/v1/consents/{consent['id']}/withdrawal").json()
    assert (ended["state"], ended["was_used"]) == ("withdrawn", True)


def _fetch_counted_as_use(platform, head):
    """The agreement that the fetch went by counts as used, and heads do not see it as idle."""
    api = f"{platform.gateway}/api/exchange/v1/uses"
    name = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
    used = _until(lambda: {one["interface"]: one for one in httpx.get(api).json()["items"]}, name)
    assert used[name]["calls"] >= 1
    url = "/v1/uses/idle-agreements?days=0&limit=100"
    idle = head.ask("GET", url, member="exchange").json()["items"]
    permits = "ID-BB/GOV/dpmptsp/perizinan"
    assert (permits, name) not in {(one["consumer"], one["interface"]) for one in idle}


def _catalogues_shown(platform):
    """Anybody finds the interface in the list that the catalogue keeps, and on the portal's page."""
    api = f"{platform.gateway}/api/catalog/v1/apis?kind=interface&q=penduduk"
    name = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
    listed = _until(lambda: {one["name"]: one for one in httpx.get(api).json()["items"]}, name, 90)
    assert (listed[name]["agency"], listed[name]["lifecycle"]) == ("dp3acskb", "active")
    page = httpx.get(f"{platform.gateway}/antarmuka", params={"cari": "penduduk"})
    assert (page.status_code, "Data penduduk" in page.text) == (200, True)
    page = httpx.get(f"{platform.gateway}/data")
    assert (page.status_code, 'href="/data/' in page.text) == (200, True)


def _processing_registered(platform):
    """What agencies agreed on the bus stands in the register of processing, and so does who is
    asked for evidence; the portal says where one goes for the service.
    """
    api = f"{platform.gateway}/api/catalog/v1/processing"
    permits = "ID-BB/GOV/dpmptsp/perizinan"
    url = f"{api}/agreements?limit=100"
    given = _until(
        lambda: {one["consumer"]: one for one in httpx.get(url).json()["items"]}, permits
    )
    assert given[permits]["purposes"] == ["layanan-publik"]
    activity = httpx.get(f"{api}/services/izin-pengusahaan-air-tanah").json()
    (card,) = (data for data in activity["data"] if data["code"] == "ktp")
    assert (card["holder"], card["categories"]) == ("dp3acskb", ["identitas"])
    page = httpx.get(f"{platform.gateway}/layanan/izin-pengusahaan-air-tanah")
    assert (page.status_code, "Kota Pangkalpinang" in page.text) == (200, True)
    page = httpx.get(f"{platform.gateway}/layanan", params={"cari": "pajak", "tempat": "19.02"})
    assert (page.status_code, "/layanan/pajak-kendaraan-bermotor" in page.text) == (200, True)


def _until(read, wanted, seconds=20):
    """What is read once it holds what is wanted."""
    until = time.monotonic() + seconds
    while wanted not in (found := read()):
        assert time.monotonic() < until, f"{wanted} did not come"
        time.sleep(0.5)
    return found
