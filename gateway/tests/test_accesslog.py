"""Access lines are batched, bounded, and none is lost at the end."""

import asyncio
import os

import orjson
import pytest
from sebalai_gateway.accesslog import LINES_LIMIT, AccessLog


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def lines(reading):
    try:
        return [orjson.loads(line) for line in os.read(reading, 1 << 20).splitlines()]
    except BlockingIOError:
        return []


async def test_lines_are_written_together_and_by_themselves(pipe):
    log = AccessLog(pipe[1])
    for n in range(3):
        log({"status": n})
    assert lines(pipe[0]) == []
    async with asyncio.timeout(5):
        while not (found := lines(pipe[0])):
            await asyncio.sleep(0.01)
    assert [line["status"] for line in found] == [0, 1, 2]
    assert all(line["logger"] == "access" and line["time"] > 0 for line in found)


async def test_flush_at_the_end_leaves_nothing_behind_and_an_empty_one_writes_nothing(pipe):
    log = AccessLog(pipe[1])
    log({"status": 200})
    log.flush()
    assert [line["status"] for line in lines(pipe[0])] == [200]
    log.flush()
    assert lines(pipe[0]) == []


async def test_more_lines_than_the_limit_are_counted_and_not_kept(tmp_path):
    with (tmp_path / "log").open("wb") as file:
        log = AccessLog(file.fileno())
        for n in range(LINES_LIMIT + 7):
            log({"n": n})
        log.flush()
    found = [orjson.loads(line) for line in (tmp_path / "log").read_bytes().splitlines()]
    assert len(found) == LINES_LIMIT + 1
    assert found[-1]["dropped"] == 7
