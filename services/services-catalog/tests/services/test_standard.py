"""The pure parts of a standard: what is missing, what is inherited, which states there are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.services.files import read_all, read_templates
from sebalai_services_catalog.services.gaps import gaps
from sebalai_services_catalog.services.lifecycle import MOVES, NoSuchMove, after
from sebalai_services_catalog.services.standard import COMPONENTS, Standard, inherit
from sebalai_shared.reference import ReferenceFolder

REFERENCE = Path(__file__).parents[4] / "deploy/reference"
LAWS = frozenset(row["id"] for row in ReferenceFolder(REFERENCE).rows("regulations"))
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
        slug: gaps(standard, LAWS) for slug, standard in whole.items() if gaps(standard, LAWS)
    } == {}


@pytest.mark.parametrize(("number", "component"), list(enumerate(COMPONENTS, 1)))
def test_each_missing_component_is_named_by_number(whole, number, component):
    lacking = whole["izin-pengusahaan-air-tanah"].model_copy(update={component: None})
    assert [(gap.component, gap.pointer) for gap in gaps(lacking, LAWS)] == [
        (number, f"/{component}")
    ]


def test_an_empty_draft_lacks_everything_by_name():
    found = {gap.pointer for gap in gaps(Standard(), LAWS)}
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
    ],
)
def test_a_fee_without_amount_formula_or_law_is_a_gap(whole, fee, pointer):
    standard = whole["izin-penelitian"].model_dump() | {"fee": fee}
    assert [gap.pointer for gap in gaps(Standard.model_validate(standard), LAWS)] == [pointer]


def test_nothing_asked_is_an_answer_but_no_law_is_not(whole):
    standard = whole["izin-penelitian"]
    assert gaps(standard.model_copy(update={"requirements": []}), LAWS) == []
    assert gaps(standard.model_copy(update={"legal_basis": []}), LAWS) != []


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
