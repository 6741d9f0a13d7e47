import base64
import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.records.content_api import DigestMissing, announced_sha256

CONTENT = b"isi notula\n" * 1_000


def files(settings):
    folder = settings.content_dir
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def digest_of(content):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


async def test_content_comes_back_as_it_was_sent(desk):
    record_id = await desk.draft()
    stored = (await desk.put(record_id)).json()["content"]
    assert (stored["sha256"], stored["bytes"]) == (
        hashlib.sha256(CONTENT).hexdigest(),
        len(CONTENT),
    )
    answer = await desk.client.get(f"/v1/records/{record_id}/content")
    assert answer.content == CONTENT
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-digest"] == digest_of(CONTENT)
    assert answer.headers["etag"] == f'"{stored["sha256"]}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_a_range_is_a_part_and_carries_the_digest_of_the_whole_under_its_own_name(desk):
    record = await desk.declared()
    path = f"/v1/records/{record['id']}/content"
    part = await desk.client.get(path, headers={"range": "bytes=4-10"})
    assert (part.status_code, part.content) == (206, CONTENT[4:11])
    assert part.headers["content-range"] == f"bytes 4-10/{len(CONTENT)}"
    assert part.headers["repr-digest"] == digest_of(CONTENT)
    assert "content-digest" not in part.headers
    beyond = await desk.client.get(path, headers={"range": f"bytes={len(CONTENT)}-"})
    assert beyond.status_code == 416


async def test_a_download_resumes_only_while_the_content_is_the_same(desk):
    record_id = await desk.draft()
    etag = f'"{(await desk.put(record_id)).json()["content"]["sha256"]}"'
    path = f"/v1/records/{record_id}/content"
    resumed = {"range": "bytes=5-", "if-range": etag}
    assert (await desk.client.get(path, headers=resumed)).status_code == 206
    await desk.put(record_id, b"another content")
    whole = await desk.client.get(path, headers=resumed)
    assert (whole.status_code, whole.content) == (200, b"another content")


async def test_known_content_is_not_sent_again(desk):
    record = await desk.declared()
    path, etag = f"/v1/records/{record['id']}/content", f'"{record["content"]["sha256"]}"'
    for known in (etag, f'"x", W/{etag}', "*"):
        answer = await desk.client.get(path, headers={"if-none-match": known})
        assert (answer.status_code, answer.content) == (304, b"")


async def test_a_draft_without_content_has_none_to_read(desk):
    answer = await desk.client.get(f"/v1/records/{await desk.draft()}/content")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:sebalai:problem:content-unknown"


async def test_another_digest_is_refused_and_nothing_is_kept(desk, settings):
    record_id = await desk.draft()
    answer = await desk.put(record_id, content_digest=digest_of(b"else"))
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:sebalai:problem:digest-mismatch"
    assert files(settings) == []
    assert (await desk.client.get(f"/v1/records/{record_id}")).json()["content"] is None


@pytest.mark.parametrize(
    "digest",
    ["", "sha-512=:AAAA:", "sha-256=:@@@@:", "sha-256=:AAAA:", "sha-256=AAAA", "md5=:AAAA:"],
)
async def test_content_without_a_usable_digest_is_refused(desk, settings, digest):
    answer = await desk.put(await desk.draft(), content_digest=digest)
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:sebalai:problem:digest-missing"
    assert files(settings) == []


async def test_the_sha256_is_found_among_other_digests(desk):
    digest = f"sha-512=:AAAA:, {digest_of(CONTENT)} , crc32c=:AAAA:"
    assert (await desk.put(await desk.draft(), content_digest=digest)).status_code == 200


@given(st.binary(min_size=32, max_size=32))
def test_every_sha256_is_read_back(digest):
    assert announced_sha256(f"sha-256=:{base64.b64encode(digest).decode()}:") == digest


@given(st.text(max_size=200))
def test_no_header_text_is_taken_for_a_digest_by_chance(header):
    with pytest.raises(DigestMissing):
        announced_sha256(header)


async def test_content_over_the_limit_is_refused_declared_or_counted(desk, settings):
    record_id, big = await desk.draft(), os.urandom(settings.content_bytes_limit + 1)

    async def unannounced():
        for start in range(0, len(big), 65_536):
            yield big[start : start + 65_536]

    for content in (big, unannounced()):
        answer = await desk.client.put(
            f"/v1/records/{record_id}/content",
            content=content,
            headers={"content-digest": digest_of(big)},
        )
        assert answer.status_code == 413
        assert str(settings.content_bytes_limit) in answer.json()["detail"]
    assert files(settings) == []


async def test_content_up_to_the_limit_is_taken_in_pieces(desk, settings):
    record_id, big = await desk.draft(), os.urandom(settings.content_bytes_limit)
    assert (await desk.put(record_id, big)).status_code == 200
    assert (await desk.client.get(f"/v1/records/{record_id}/content")).content == big


async def test_empty_content_is_content(desk):
    record = await desk.declared(b"")
    assert record["content"]["bytes"] == 0


async def test_the_same_bytes_are_stored_once_and_read_only(desk, settings):
    await desk.declared()
    await desk.declared()
    [name] = files(settings)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert name == f"cas/{sha256[:2]}/{sha256}"
    assert (settings.content_dir / name).stat().st_mode & 0o777 == 0o440


@pytest.mark.parametrize("kind", ["text", "a/b; c", "text/html\x7f", "x" * 201 + "/y", "é/b", "/"])
async def test_a_content_type_that_is_none_is_refused(desk, kind):
    answer = await desk.put(await desk.draft(), content_type=kind.encode())
    assert answer.status_code == 415


async def test_a_missing_file_is_told_and_not_hidden(desk, settings):
    record = await desk.declared()
    [name] = files(settings)
    (settings.content_dir / name).unlink()
    answer = await desk.client.get(f"/v1/records/{record['id']}/content")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:sebalai:problem:content-unavailable"


NAMES = ("n" * 255, "..", ".", "-rf", "CON", "a\u202eb.pdf", "$(id).pdf", "%2e%2e%2fpasswd")


@pytest.mark.parametrize("name", NAMES)
async def test_a_file_name_stays_a_name_and_leads_nowhere(desk, settings, name):
    record_id = await desk.draft(filename=name)
    assert (await desk.put(record_id)).status_code == 200
    record = (await desk.declare(record_id)).json()
    assert record["content"]["filename"] == name
    got = await desk.client.get(f"/v1/records/{record_id}/content")
    assert got.headers["content-disposition"] == f'attachment; filename="{record_id}"'
    kept = {path.name for path in settings.content_dir.rglob("*") if path.is_file()}
    assert kept == {hashlib.sha256(CONTENT).hexdigest()}


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..\\..\\x", "a\x00b", "a\nb", "", "n" * 256]
)
async def test_a_path_is_no_file_name(writer, name):
    wanted = {"title": "Notula", "classification": "000.1.5", "filename": name}
    answer = await writer.post("/v1/records", json=wanted, headers={"idempotency-key": "k"})
    assert answer.status_code == 422
    assert "/filename" in answer.text
