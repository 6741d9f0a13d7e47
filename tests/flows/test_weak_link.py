"""A telephone on an island: 16 kB a second, far away, cut at random; nothing is lost or doubled.

Each thing the catalogue offers for such a line is used over it: cursor pages, sparse fields, ETag
and 304, a batch, what changed since, and drafts made offline that are sent once there is a line.
"""

import httpx
import pytest

from tests.flows.actors import Actor
from tests.flows.weak_link import WeakLink

pytestmark = pytest.mark.flow

BYTES_PER_SECOND, LATENCY_SECONDS, SEED = 16_000, 0.1, 2026
TRIES, SILENCE_SECONDS = 30, 20
DRAFTS = 12
SERVICE, MOVED = "izin-penelitian", "izin-trayek-antarkabupaten"
CODES = ("proposal", "ktp", "pengantar")
LIST, CHANGES = "/v1/services", "/v1/services/changes"


class Telephone:
    """Asks until an answer comes whole, keeps what has an ETag, counts what it had to load."""

    def __init__(self, room, owner):
        self._room, self._owner = room, owner
        self._kept, self.tries, self.loaded = {}, 0, 0

    def ask(self, method, path, **options):
        headers = {"authorization": f"Bearer {self._owner.token}"} | options.pop("headers", {})
        for _ in range(TRIES):
            self.tries += 1
            try:
                answer = httpx.request(
                    method, self._room + path, headers=headers, timeout=SILENCE_SECONDS, **options
                )
            except httpx.TransportError:
                continue
            assert answer.status_code < 400, answer.text
            self.loaded += len(answer.content)
            return answer
        raise AssertionError(f"{method} {path}: no whole answer in {TRIES} tries")

    def get(self, path, **params):
        """The document; one it has is asked for with its ETag and not loaded again."""
        key = (path, tuple(sorted((name, str(value)) for name, value in params.items())))
        tag, document = self._kept.get(key, (None, None))
        headers = {"if-none-match": tag} if tag else {}
        answer = self.ask("GET", path, params=params, headers=headers)
        if answer.status_code == 304:
            return document
        self._kept[key] = answer.headers.get("etag"), answer.json()
        return answer.json()

    def pages(self, path, **params):
        """Every item of a list, in its order."""
        items, following = [], {}
        while True:
            page = self.get(path, limit=20, **params, **following)
            items += page["items"]
            if page["next"] is None:
                return items
            following = {"cursor": page["next"]}

    def changes(self, path, since=None):
        """What changed since the read before, and the token for the next one."""
        items, more = [], True
        while more:
            page = self.get(path, limit=50, **({"since": since} if since else {}))
            items, since, more = items + page["items"], page["since"], page["more"]
        return items, since

    def cost(self, work):
        """What `work` gives, and the bytes that were loaded for it."""
        before = self.loaded
        return work(), self.loaded - before


@pytest.fixture
def office(platform):
    return Actor(platform, "dpmptsp/loket-lemah", "bus.call", "catalog.write")


@pytest.fixture
def head(platform):
    return Actor(platform, "dpmptsp/kepala-lemah", "bus.call", "catalog.decide")


@pytest.fixture
def link(platform):
    return WeakLink(
        platform.gateway, bytes_per_second=BYTES_PER_SECOND, latency_seconds=LATENCY_SECONDS,
        seed=SEED,
    )  # fmt: skip


def test_a_telephone_loses_and_doubles_nothing_on_a_slow_line_that_breaks(
    platform, link, office, head
):
    owner = Actor(platform, "dinkop-ukm/gawai-lemah", "bus.call")
    with link.open() as address:
        telephone = Telephone(f"{address}/api/catalog", owner)
        _reads_the_list_once(platform, telephone)
        _reads_several_in_one_go(telephone)
        _reads_only_what_changed(telephone, head)
        requests = _sends_its_drafts(telephone, link, owner)
        _sees_what_moved(telephone, office, requests)
    print(f"line: {telephone.tries} tries, {dict(link.cuts)} cut, {link.carried} bytes down")
    assert link.cuts["up"] > 0
    assert link.cuts["down"] > 0


def _reads_the_list_once(platform, telephone):
    """Cursor pages, then sparse, then unchanged: each cheaper than the one before."""
    direct = httpx.get(f"{platform.gateway}/api/catalog{LIST}", params={"limit": 100}).json()
    slugs = [one["slug"] for one in direct["items"]]
    assert direct["next"] is None
    whole, whole_bytes = telephone.cost(lambda: telephone.pages(LIST))
    assert [one["slug"] for one in whole] == slugs
    sparse, sparse_bytes = telephone.cost(lambda: telephone.pages(LIST, fields="slug,name"))
    assert [one["slug"] for one in sparse] == slugs
    again, again_bytes = telephone.cost(lambda: telephone.pages(LIST, fields="slug,name"))
    assert again == sparse
    print(f"list: {whole_bytes} bytes whole, {sparse_bytes} sparse, {again_bytes} unchanged")
    assert again_bytes == 0
    assert sparse_bytes * 3 < whole_bytes


def _reads_several_in_one_go(telephone):
    slugs = [SERVICE, MOVED, "tidak-ada"]
    batch = telephone.get("/v1/services/batch", slug=slugs, fields="slug,agency")
    assert [one["slug"] for one in batch["items"]] == slugs[:2]
    assert batch["missing"] == slugs[2:]


def _reads_only_what_changed(telephone, head):
    (first, since), all_bytes = telephone.cost(lambda: telephone.changes(CHANGES))
    head.ask("POST", f"/v1/services/{MOVED}/suspension", json={"reason": "Jalur diperbaiki"})
    (moved, since), delta_bytes = telephone.cost(lambda: telephone.changes(CHANGES, since))
    head.ask("POST", f"/v1/services/{MOVED}/resumption", json={"reason": "Jalur dibuka"})
    (back, _), _ = telephone.cost(lambda: telephone.changes(CHANGES, since))
    print(f"changes: {len(first)} services in {all_bytes} bytes, then 1 in {delta_bytes}")
    assert [(one["slug"], one["state"]) for one in moved] == [(MOVED, "suspended")]
    assert [(one["slug"], one["state"]) for one in back] == [(MOVED, "published")]
    assert delta_bytes * 10 < all_bytes


def _sends_its_drafts(telephone, link, owner):
    """Drafts made offline, each under a key of its own; the first answers are lost on their way."""
    answers = {code: {"value": f"isi {code}"} for code in CODES}
    body = {"service": SERVICE, "channel": "aplikasi", "submit": True, "answers": answers}
    told = []
    before = telephone.tries
    for number in range(DRAFTS):
        link.fates.append(("down", 1) if number % 2 == 0 else ("up", 400))
        headers = {"idempotency-key": f"lemah-{number}"}
        told.append(telephone.ask("POST", "/v1/requests", json=body, headers=headers).json())
    again = telephone.ask(
        "POST", "/v1/requests", json=body, headers={"idempotency-key": "lemah-0"}
    ).json()
    assert again["ticket"] == told[0]["ticket"]
    mine = owner.ask("GET", "/v1/requests", params={"mine": "true", "limit": 100}).json()["items"]
    sent = telephone.tries - before
    print(f"drafts: {DRAFTS} sent in {sent} tries, {len(mine)} requests, all submitted")
    assert {one["ticket"] for one in mine} == {one["ticket"] for one in told}
    assert len(mine) == DRAFTS
    assert {one["state"] for one in mine} == {"submitted"}
    return mine


def _sees_what_moved(telephone, office, requests):
    url = "/v1/requests/changes"
    seen, since = telephone.changes(url)
    assert sorted(one["id"] for one in seen) == sorted(one["id"] for one in requests)
    office.act(requests[3], "verify")
    moved, _ = telephone.changes(url, since)
    assert [(one["id"], one["state"]) for one in moved] == [(requests[3]["id"], "verifying")]
