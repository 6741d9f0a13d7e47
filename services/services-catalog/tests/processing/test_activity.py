"""What a service does with personal data, as its standard and the agreements say it."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from sebalai_services_catalog.processing.activity import Data, Known, Recipient, activity_of
from sebalai_services_catalog.services.actions import Standard

HOLDER = "dp3acskb"
INTERFACE = "dp3acskb/kependudukan/penduduk"
KIND = SimpleNamespace(
    code="data-kependudukan", holder=HOLDER, interface=INTERFACE, purpose="layanan-publik"
)
AT = datetime(2026, 1, 1, tzinfo=UTC)


def agreement(**more):
    return SimpleNamespace(
        **{
            "interface": f"ID-BB/GOV/{INTERFACE}",
            "purposes": ["layanan-publik"],
            "data_categories": ["nama", "identitas"],
        }
        | more
    )


def standard(**more):
    base = {
        "audiences": ["masyarakat"],
        "requirements": [
            {"code": "ktp", "name": {"id": "KTP"}, "kind": "document", "source": "agency",
             "evidence_type": "data-kependudukan"},
            {"code": "hadir", "name": {"id": "Datang"}, "kind": "presence"},
            {"code": "npwp", "name": {"id": "NPWP"}, "kind": "data"},
        ],
        "procedure": [
            {"role": "officer", "what": {"id": "Memeriksa"}},
            {"role": "other_agency", "what": {"id": "Memberi pendapat"}, "agency": "dlhk"},
            {"role": "other_agency", "what": {"id": "Sekali lagi"}, "agency": "dlhk"},
        ],
        "fee": {"kind": "free"},
        "legal_basis": ["uu-25-2009"],
        "product": {
            "name": {"id": "Izin"}, "document_type": "izin", "signer": "Kepala",
            "archive_code": "500.16.7.2",
        },
    }  # fmt: skip
    return Standard.model_validate(base | more)


def told(*agreements, agency="dpmptsp", **more):
    return activity_of(agency, standard(**more), Known({KIND.code: KIND}, agreements))


def test_data_come_from_what_is_asked_and_categories_from_the_agreement():
    assert told(agreement()).data == [
        Data("ktp", "KTP", "agency", KIND.code, HOLDER, ["identitas", "nama"]),
        Data("npwp", "NPWP", "applicant", None, None, []),
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"purposes": ["verifikasi-bansos"]},
        {"interface": "ID-BB/GOV/dp3acskb/kependudukan/keluarga"},
        {"interface": "ID-BB/GOV/xdp3acskb/kependudukan/penduduk"},
    ],
)
def test_an_agreement_about_something_else_names_no_category(other):
    assert told(agreement(**other)).data[0].categories == []


def test_serving_rests_on_duty_and_fetching_on_consent():
    found = {one.code: (one.basis, one.laws) for one in told().purposes}
    assert found == {
        "pelayanan": ("public_duty", ["uu-25-2009"]),
        "layanan-publik": ("consent", ["uu-25-2009"]),
    }
    paid = {"fee": {"kind": "fixed", "rupiah": 1000, "basis": "uu-1-2022"}}
    assert {one.code: one.laws for one in told(**paid).purposes}["pembayaran"] == ["uu-1-2022"]


def test_who_else_sees_it_is_named_once_and_never_the_controller_itself():
    assert told().recipients == [Recipient("dlhk", "step"), Recipient(HOLDER, "evidence")]
    assert told(agency="dlhk").recipients == [Recipient(HOLDER, "evidence")]


def test_evidence_that_is_not_on_the_bus_is_not_fetched():
    known = Known({KIND.code: SimpleNamespace(**(vars(KIND) | {"interface": None}))}, [])
    found = activity_of("dpmptsp", standard(), known)
    assert [one.code for one in found.purposes] == ["pelayanan"]
    assert found.recipients == [Recipient("dlhk", "step")]
    assert found.data[0].holder == HOLDER


def test_what_the_standard_leaves_open_is_named():
    assert told().lacking == []
    product = {"name": {"id": "Izin"}, "document_type": "izin", "signer": "Kepala"}
    assert told(product=product, legal_basis=[]).lacking == ["legal_basis", "retention"]
    assert replace(told(product=product), lacking=[]).archive_code is None
