"""A large object against the receipts of its parts."""

import hashlib

import pytest
from sebalai_verifier.failures import VerificationError
from sebalai_verifier.large_object import check_object
from sebalai_verifier.receipt import Verified

WHOLE = bytes(range(256)) * 8
TOLD = hashlib.sha256(WHOLE).hexdigest()


def part(offset, size, data=WHOLE, sha256=TOLD, correlation="c"):
    passed = data[offset : offset + size]
    payload = {
        "correlation_id": correlation,
        "request": {"sha256": hashlib.sha256(passed).hexdigest(), "bytes": size},
        "upload": {"offset": offset, "sha256": sha256},
    }
    return Verified("call", "i", "t", payload, "o", 0, 1, "k", b"")


def begun(**upload):
    payload = {
        "correlation_id": "c",
        "request": {"sha256": "00" * 32, "bytes": 0},
        "upload": upload,
    }
    return Verified("call", "i", "t", payload, "o", 0, 1, "k", b"")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "object"
    path.write_bytes(WHOLE)
    return path


def refused(receipts, file):
    with pytest.raises(VerificationError) as caught:
        check_object(receipts, file)
    return caught.value.reason


def test_parts_in_any_order_with_one_that_broke_off_make_the_whole(file):
    receipts = [part(1_000, 1_048), begun(length=2_048), part(0, 700), part(600, 400)]
    assert check_object(receipts, file) == TOLD


def test_a_hole_or_a_missing_end_is_incomplete(file):
    assert refused([part(0, 700), part(701, 1_347)], file) == "object-incomplete"
    assert refused([part(0, 700)], file) == "object-incomplete"
    assert refused([begun(length=2_048)], file) == "object-incomplete"


def test_another_object_differs(file):
    assert refused([part(0, 2_048, b"x" * 2_048)], file) == "object-differs"
    assert refused([part(0, 2_048, sha256="00" * 32)], file) == "object-differs"
    assert refused([part(0, 700), part(700, 1_348, correlation="d")], file) == "object-differs"


def test_what_reaches_beyond_or_is_no_number_is_malformed(file, tmp_path):
    assert refused([part(0, 2_049, WHOLE + b"x")], file) == "malformed"
    broken = part(0, 10)
    broken.payload["upload"]["offset"] = -1
    assert refused([broken], file) == "malformed"
    assert refused([part(0, 10)], tmp_path / "none") == "unreadable"
