"""The table of mutations follows the code: a line that no longer applies shows nothing."""

import mutate_tests
import mutations_bad_input as bad_input
import pytest
from mutation_log import Log
from mutation_table import TABLE, mutate
from oidc_checks import everything
from oidc_checks.registry import CHECKS

assert everything


def test_each_mutation_applies_once_and_still_compiles():
    assert TABLE
    for file, old, new, _ in TABLE:
        text = mutate(file, old, new)
        if file.endswith(".py"):
            compile(text, file, "exec")


def test_each_check_is_shown_to_fail_by_a_mutation():
    named = {name for *_, checks in TABLE for name in checks}
    assert named == set(CHECKS)


def test_a_mutation_whose_line_has_gone_is_refused():
    with pytest.raises(ValueError, match="stands there 0 times"):
        mutate("oauth/jose.py", "a line that nobody wrote", "")


def test_each_bad_input_is_refused_by_a_check_that_a_test_was_seen_to_need():
    assert {what for what, *_ in bad_input.MUTATIONS} == bad_input.WANTED
    for _, file, old, new, tests in bad_input.MUTATIONS:
        compile(mutate_tests.mutate(file, old, new), file, "exec")
        for test in tests:
            path, name = test.split("::")
            assert f"def {name.partition('[')[0]}(" in (mutate_tests.ROOT / path).read_text(), test


def test_the_sum_counts_no_row_that_has_left_the_tables(tmp_path):
    kept, gone = ("mutation", "a.py", "new", "Check"), ("mutation", "a.py", "old", "Check")
    log = Log(tmp_path / "log")
    log.note("red", *kept)
    log.note(None, *gone)
    log.note(None, "green", "Check")
    assert Log(tmp_path / "log").count({kept}) == (1, 1)
    assert Log(tmp_path / "log").count({kept, gone}) == (1, 2)
