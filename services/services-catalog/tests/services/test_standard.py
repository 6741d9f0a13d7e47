"""The pure parts of a standard: what is missing, what is inherited, which states there are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sebalai_services_catalog.services.files import read_all, read_templates
from sebalai_services_catalog.services.gaps import Known, gaps
from sebalai_services_catalog.services.lifecycle import MOVES, NoSuchMove, after
from sebalai_services_catalog.services.standard import COMPONENTS, Standard, inherit
from sebalai_shared.reference import ReferenceFolder

REFERENCE = Path(__file__).parents[4] / "deploy/reference"
FOLDER = ReferenceFolder(REFERENCE)
KNOWN = Known(
    frozenset(row["id"] for row in FOLDER.rows("regulations")),
    frozenset(row["code"] for row in FOLDER.rows("regions")),
)
ACTS = st.sampled_from(sorted({act for _, act in MOVES}))


@pytest.fixture(scope="module")
def whole():
    templates = {template.slug: template.standard for template in read_templates(REFERENCE)}
    return {
        file.slug: inherit(templates[file.template], file.standard) for file in read_all(REFERENCE)
    }


def test_every_reviewed_file_holds_all_fourteen_components(whole):
    assert len(whole) >= 60
    assert {
        slug: gaps(standard, KNOWN) for slug, standard in whole.items() if gaps(standard, KNOWN)
    } == {}


@pytest.mark.parametrize(("number", "component"), list(enumerate(COMPONENTS, 1)))
def test_each_missing_component_is_named_by_number(whole, number, component):
    lacking = whole["izin-pengusahaan-air-tanah"].model_copy(update={component: None})
    assert [(gap.component, gap.pointer) for gap in gaps(lacking, KNOWN)] == [
        (number, f"/{component}")
    ]


def test_an_empty_draft_lacks_everything_by_name():
    found = {gap.pointer for gap in gaps(Standard(), KNOWN)}
    assert {f"/{name}" for name in COMPONENTS} <= found
    assert {"/name", "/summary", "/audiences", "/channels", "/life_event"} <= found


@pytest.mark.parametrize(
    ("fee", "pointer"),
    [
        ({"kind": "fixed", "basis": "uu-1-2022"}, "/fee/rupiah"),
        ({"kind": "fixed", "rupiah": 0, "basis": "uu-1-2022"}, "/fee/rupiah"),
        ({"kind": "formula", "basis": "uu-1-2022"}, "/fee/formula"),
        ({"kind": "fixed", "rupiah": 1000}, "/fee/basis"),
        ({"kind": "fixed", "rupiah": 1000, "basis": "uu-0-1900"}, "/fee/basis"),
        (
            {
                "kind": "free",
                "channels": {"loket": {"kind": "formula", "basis": "uu-1-2022"}},
            },
            "/fee/channels/loket/formula",
        ),
        ({"kind": "free", "channels": {"telepon": {"kind": "free"}}}, "/fee/channels/telepon"),
    ],
)
def test_a_fee_without_amount_formula_or_law_is_a_gap(whole, fee, pointer):
    standard = whole["izin-penelitian"].model_dump() | {"fee": fee}
    assert [gap.pointer for gap in gaps(Standard.model_validate(standard), KNOWN)] == [pointer]


def test_nothing_asked_is_an_answer_but_no_law_is_not(whole):
    standard = whole["izin-penelitian"]
    assert gaps(standard.model_copy(update={"requirements": []}), KNOWN) == []
    assert gaps(standard.model_copy(update={"legal_basis": []}), KNOWN) != []


def test_a_service_inherits_what_it_does_not_say_itself():
    template = Standard(guarantee="Sesuai standar", staff_count=4)
    own = Standard(staff_count=9)
    whole = inherit(template, own)
    assert (whole.guarantee, whole.staff_count) == ("Sesuai standar", 9)


@given(st.lists(ACTS, max_size=20))
def test_no_series_of_acts_jumps_over_review_or_leaves_retirement(acts):
    state, seen = "draft", ["draft"]
    for act in acts:
        try:
            state = after(state, act)
        except NoSuchMove:
            continue
        seen.append(state)
    if "published" in seen:
        assert seen.index("review") < seen.index("published")
    if "retired" in seen:
        assert seen.index("retired") == len(seen) - 1


COUNTER = {
    "code": "kantor",
    "name": "Kantor",
    "address": "Jalan Pulau Bangka",
    "region": "19.71",
    "hours": [{"weekdays": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "15:30"}],
}


@pytest.mark.parametrize(
    ("points", "pointers"),
    [
        ([], ["/points"]),
        ([COUNTER | {"channels": ["daring"]}], ["/points"]),
        ([COUNTER, COUNTER], ["/points/1/code"]),
        ([COUNTER | {"region": "19.72"}], ["/points/0/region"]),
        ([COUNTER | {"region": "31.71"}], ["/points/0/region"]),
        ([COUNTER | {"channels": ["loket", "telepon"]}], ["/points/0/channels"]),
        ([COUNTER], []),
        ([COUNTER | {"region": "19.71.01"}], []),
    ],
)
def test_who_comes_to_a_counter_is_told_where_it_is(whole, points, pointers):
    standard = whole["izin-penelitian"].model_dump() | {"points": points}
    assert [gap.pointer for gap in gaps(Standard.model_validate(standard), KNOWN)] == pointers


@pytest.mark.parametrize(
    "wrong",
    [
        {"region": "Pangkalpinang"},
        {"hours": []},
        {"hours": [{"weekdays": [1], "opens": "15:00", "closes": "08:00"}]},
        {"hours": [{"weekdays": [1], "opens": "08:00", "closes": "08:00"}]},
        {"hours": [{"weekdays": [0], "opens": "08:00", "closes": "15:00"}]},
        {"hours": [{"weekdays": [1], "opens": "8.00", "closes": "15:00"}]},
        {"position": {"latitude": 106.1, "longitude": -2.1}},
    ],
)
def test_a_malformed_service_point_is_refused(wrong):
    with pytest.raises(ValidationError):
        Standard.model_validate({"points": [COUNTER | wrong]})


def test_a_time_of_a_channel_that_the_service_does_not_have_is_a_gap(whole):
    term = {"value": 1, "unit": "days"}
    duration = term | {"channels": {"loket": term, "whatsapp": term}}
    standard = whole["izin-penelitian"].model_dump() | {"duration": duration}
    assert [gap.pointer for gap in gaps(Standard.model_validate(standard), KNOWN)] == [
        "/duration/channels/whatsapp"
    ]
