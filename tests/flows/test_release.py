"""What a release changes of the platform's own interfaces is published when it starts."""

import httpx
import pytest

pytestmark = pytest.mark.flow

OPERATOR = "diskominfo/sebalai"


class Calls:
    """The platform's own interface `calls`, as its application sees it at exchange."""

    def __init__(self, platform):
        self._url = f"{platform.gateway}/api/exchange/v1/interfaces"
        self._headers = {"authorization": f"Bearer {platform.token(OPERATOR)}"}

    def read(self):
        name = {"name": f"ID-BB/GOV/{OPERATOR}/calls"}
        listed = httpx.get(self._url, headers=self._headers, params=name, timeout=30)
        (found,) = listed.json()["items"]
        return found

    def contract(self):
        url = f"{self._url}/{self.read()['id']}/contract"
        return httpx.get(url, headers=self._headers, timeout=30).json()

    def publish(self, contract):
        here = self.read()
        body = {key: here[key] for key in ("name", "title", "addresses", "member")}
        headers = self._headers | {"idempotency-key": f"release-{here['contract_version']}"}
        body |= {"contract": contract, "accept_breaks": True}
        answer = httpx.post(self._url, headers=headers, json=body, timeout=60)
        assert answer.is_success, answer.text


def test_own_interface_of_the_release_before_is_published_anew_and_only_once(platform):
    calls = Calls(platform)
    whole = calls.contract()
    calls.publish(whole | {"paths": dict(list(whole["paths"].items())[:1])})
    assert len(calls.contract()["paths"]) == 1
    platform.run("seed")
    after = calls.read()
    assert calls.contract() == whole
    platform.run("seed")
    assert calls.read() == after
