"""An agency's first call: answered, receipted, verifiable offline; and the refusal of another."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.flow


def test_a_granted_call_is_answered_and_its_receipt_verifies_offline(platform):
    answer = platform.call()
    assert answer.status_code == 200, answer.text
    message_id = answer.headers["sebalai-message-id"]
    assert answer.headers["sebalai-receipt"] == f"{platform.gateway}/receipts/{message_id}"
    receipt = platform.receipt(message_id)
    checked = platform.verify(receipt)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    payload = json.loads(receipt)["payload"]
    assert (payload["outcome"], payload["purpose"]) == ("answered", platform.population["purpose"])
    assert payload["response"]["bytes"] == len(answer.content)


def test_a_changed_receipt_fails_with_the_reason(platform):
    receipt = platform.receipt(platform.call().headers["sebalai-message-id"])
    forged = receipt.replace('"outcome":"answered"', '"outcome":"refused"')
    assert forged != receipt
    checked = platform.verify(forged)
    assert checked.returncode == 1
    assert "commitment" in checked.stdout + checked.stderr


def test_a_call_without_an_agreement_is_refused_names_the_rule_and_is_receipted(platform):
    before = platform.provider_count()
    answer = platform.call(name=platform.refused)
    assert answer.status_code == 403
    problem = answer.json()
    assert problem["type"] == "urn:sebalai:problem:agreement-missing"
    assert platform.population["name"] in problem["detail"]
    receipt = platform.receipt(problem["message_id"], name=platform.refused)
    assert json.loads(receipt)["payload"]["outcome"] == "refused"
    assert platform.verify(receipt).returncode == 0
    assert platform.provider_count() == before


def test_a_receipt_is_shown_to_its_parties_alone(platform):
    message_id = platform.call().headers["sebalai-message-id"]
    platform.receipt(message_id)
    headers = {"authorization": f"Bearer {platform.token(platform.refused)}"}
    answer = httpx.get(f"{platform.gateway}/receipts/{message_id}", headers=headers)
    assert answer.status_code == 404


def test_the_example_call_runs_as_it_stands(platform):
    done = subprocess.run(
        ["bash", "-c", platform.facts["example_call"]], cwd=ROOT, env=platform.env,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "200 OK" in done.stdout
    assert "sebalai-receipt:" in done.stdout


def test_up_twice_changes_nothing(platform):
    before = platform.facts
    again = platform.run("up")
    assert platform.facts == before
    assert platform.facts["gateway"] in again.stdout


def test_a_new_client_needs_only_platform_json(platform):
    assert platform.application(platform.granted)["identifier"].startswith("ID-BB/GOV/")
