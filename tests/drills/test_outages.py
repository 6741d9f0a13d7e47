"""Stores that are gone: without the journal nothing reaches a provider; without NATS calls go on."""

from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = [pytest.mark.drill, pytest.mark.timeout(300)]


@pytest.fixture
def held(platform):
    """Stops a process and keeps it stopped until the test ends."""
    names = []

    def hold(name):
        platform.run("stop", name)
        names.append(name)

    yield hold
    for name in names:
        platform.run("start", name)
    platform.wait_until_well()


def test_without_the_journal_nothing_reaches_the_provider(platform, held):
    platform.token(is_new=True)
    before = platform.provider_count()
    held("postgres")
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: platform.call(), range(100)))
    statuses = [answer.status_code for answer in answers]
    assert statuses == [503] * 100
    assert all(a.json()["type"].endswith(":journal-unavailable") for a in answers)
    assert all("retry-after" in answer.headers for answer in answers)
    assert platform.provider_count() == before
    print(
        f"\ndrill journal stopped: {len(answers)} calls, {statuses.count(503)} x 503, counter unchanged"
    )


def test_a_refusal_without_the_journal_is_still_a_refusal_of_service(platform, held):
    platform.token(platform.refused)
    held("postgres")
    assert platform.call(name=platform.refused).status_code == 503


def test_calls_go_on_without_nats_and_receipts_follow(platform, held):
    held("nats")
    answers = [platform.call() for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    platform.run("start", "nats")
    for answer in answers:
        receipt = platform.receipt(answer.headers["sebalai-message-id"], seconds=60)
        assert platform.verify(receipt).returncode == 0


def test_calls_go_on_without_identity_and_exchange(platform, held):
    platform.token(is_new=True)
    held("identity")
    held("exchange")
    assert platform.call().status_code == 200


def test_a_provider_that_is_down_has_its_own_answer(platform, held):
    held("population-registry")
    answer = platform.call()
    assert answer.status_code == 502
    assert answer.json()["type"] == "urn:sebalai:problem:provider-unreachable"
