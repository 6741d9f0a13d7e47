"""Every durable that a member consumes has its lines in `deploy/nats/users.conf`: a member without
them is refused in silence, which only a flow that starts the whole platform had told.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
RIGHTS = ("$JS.API.CONSUMER.CREATE", "$JS.API.CONSUMER.RESET", "$JS.API.CONSUMER.MSG.NEXT")


def feeds():
    """(stream, durable) of each `Feed(…)` in the members."""
    for path in sorted((ROOT / "services").rglob("sebalai_*/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Feed":
                named = {one.arg: one.value for one in node.keywords}
                given = [*node.args, named.get("stream"), named.get("durable")]
                stream, durable = [one for one in given if one is not None][:2]
                yield stream.value, durable.value


def rights_of(user):
    """What it may publish, as subjects with wildcards."""
    conf = (ROOT / "deploy/nats/users.conf").read_text(encoding="utf-8")
    _, _, block = conf.partition(f"user: {user},")
    allowed, _, _ = block.partition("subscribe:")
    return re.findall(r'"([^"]+)"', allowed)


def covers(right, subject):
    wanted = subject.split(".")
    for place, part in enumerate(right.split(".")):
        if part == ">":
            return True
        if place >= len(wanted) or part not in ("*", wanted[place]):
            return False
    return right.count(".") == subject.count(".")


def test_every_durable_may_be_made_read_and_acknowledged():
    found = set(feeds())
    assert len(found) >= 5
    missing = [
        subject
        for stream, durable in sorted(found)
        for subject in (
            *(f"{right}.{stream}.{durable}" for right in RIGHTS),
            f"$JS.ACK.{stream}.{durable}.1.2.3.4.5",
        )
        # A durable is named after its member.
        if not any(covers(right, subject) for right in rights_of(durable.partition("-")[0]))
    ]
    assert missing == []
