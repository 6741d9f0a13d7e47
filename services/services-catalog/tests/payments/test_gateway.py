"""The text that a signature covers."""

import json

from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.payments.snap import minified, signature

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(DOCUMENTS, st.sampled_from([None, 0, 1, 4]))
def test_white_space_between_tokens_is_left_out_and_strings_stay(document, indent):
    spaced = json.dumps(document, indent=indent, separators=(" , ", " : ")).encode()
    assert minified(spaced) == json.dumps(document, separators=(",", ":")).encode()


def test_a_signature_depends_on_each_of_its_parts():
    parts = ["rahasia", "POST", "/v1.0/x", b'{"a":1}', "2026-11-24T10:00:00+07:00", "token"]
    others = ["lain", "PUT", "/v1.0/y", b'{"a":2}', "2026-11-24T10:00:01+07:00", ""]
    signed = {signature(*parts)}
    for place, other in enumerate(others):
        signed.add(signature(*parts[:place], other, *parts[place + 1 :]))
    assert len(signed) == 7
