"""What the commands for agency developers do. Exit codes as everywhere: 0, 1 failed, 2 misuse."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sebalai_shared.ids import uuid7
from sebalai_shared.signatures import Signed

from sebalai_local.agency.profile import (
    Agency,
    Profile,
    connected,
    key_of,
    refused,
    save,
)
from sebalai_local.connect.signing import MessageSigner, content_digest, exchange
from sebalai_local.failures import Failure, Misuse
from sebalai_local.home import Home

API = "/api/exchange/v1"
RECEIPT_TRIES = 40
RECEIPT_WAIT_SECONDS = 0.25
VERIFY_SECONDS = 30
PAGE_ROWS = 100
KEEP_DAYS_MAX = 3_650
_DAYS = re.compile(r"[0-9]{1,4}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+: [ -~]*")

Options = argparse.Namespace


def run(work: Callable[[Agency], Awaitable[int]], profile: Profile | None = None) -> int:
    async def connect() -> int:
        async with connected(profile) as agency:
            return await work(agency)

    return asyncio.run(connect())


def show(options: Options, found: Any, line: str) -> None:
    print(json.dumps(found, ensure_ascii=False) if options.json else line)


def identity(token: str) -> dict[str, Any]:
    import base64  # noqa: PLC0415 - one command's

    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def login(_: Home, options: Options) -> int:
    key, gateway = str(Path(options.key).resolve()), options.gateway.rstrip("/")
    profile = Profile(gateway=gateway, client_id=options.client_id, key_file=key)

    async def work(agency: Agency) -> int:
        claims = identity(await agency.token())
        file = save(profile)
        found = {"application": claims["application"], "scope": claims["scope"], "file": str(file)}
        show(options, found, f"You call as {claims['application']} ({claims['scope']}).")
        return 0

    return run(work, profile)


def whoami(_: Home, options: Options) -> int:
    async def work(agency: Agency) -> int:
        claims = identity(await agency.token())
        found = {"application": claims["application"], "gateway": agency.profile.gateway}
        show(options, found, f"{claims['application']} at {agency.profile.gateway}")
        return 0

    return run(work)


def call(_: Home, options: Options) -> int:
    headers = {"Sebalai-Purpose": options.purpose}
    for told in options.header:
        name, colon, value = told.partition(":")
        if not colon:
            raise Misuse(f"{told!r} is no header.", "Write --header 'Name: value'")
        headers[name.strip()] = value.strip()
    _check_headers(headers)
    body, method = _body(options.data), options.method.upper()
    path = "/r1/" + options.target.removeprefix("/r1/").lstrip("/")

    async def work(agency: Agency) -> int:
        signed = _signed(agency, method, path, headers, body) if options.sign else None
        answer = await agency.send(method, path, headers=headers, content=body)
        receipt = answer.headers.get("Sebalai-Message-Id", "-")
        if signed is not None and options.exchange:
            told = [(name.lower(), value) for name, value in answer.headers.raw]
            _write(options.exchange, exchange(signed, answer.status_code, told, receipt))
        found = {"status": answer.status_code, "headers": dict(answer.headers), "body": answer.text}
        if options.json:
            print(json.dumps(found, ensure_ascii=False))
        else:
            _pour(answer.content)
        sys.stderr.write(f"{answer.status_code}, receipt: sebalai receipts get {receipt}\n")
        return 0 if answer.status_code < 400 else 1

    return run(work)


def _check_headers(headers: dict[str, str]) -> None:
    """Raises: Misuse, for what no header can carry."""
    for name, value in headers.items():
        if not _HEADER.fullmatch(f"{name}: {value}"):
            raise Misuse(f"{name!r}: {value!r} cannot be sent as a header.", "One line of text.")


def _pour(body: bytes) -> None:
    """Byte for byte, so that a file stays one; a line's end for who reads it on a screen."""
    sys.stdout.flush()
    sys.stdout.buffer.write(body)
    if sys.stdout.isatty():
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def _signed(
    agency: Agency, method: str, path: str, headers: dict[str, str], body: bytes | None
) -> Signed:
    """Adds to the headers what signs them; the key of the call's repetition is signed too."""
    headers.setdefault("Idempotency-Key", str(uuid7()))
    if body:
        headers["Content-Digest"] = content_digest(body).decode()
    told = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    signed = MessageSigner(key_of(agency.profile.key_file)).request(method, path, told)
    headers.update({name.decode(): value.decode() for name, value in signed.headers})
    return signed


def _body(data: str | None) -> bytes | None:
    if data is None:
        return None
    return _file(data[1:]) if data.startswith("@") else data.encode()


def _file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise Failure(f"{name} cannot be read: {error}") from error


def _contract(name: str) -> Any:
    try:
        return json.loads(_file(name))
    except ValueError as error:
        raise Failure(f"{name} is not JSON: {error}", "Convert YAML first.") from error


def read_json(told: str) -> Any:
    """JSON as it stands, or `@FILE`. Raises: Misuse, Failure."""
    try:
        return json.loads(_body(told) or b"")
    except ValueError as error:
        raise Misuse(f"This is not JSON: {error}", "--data '{...}' or --data @FILE") from error


async def _own_name(agency: Agency, name: str) -> str:
    if "/" in name:
        return name
    return f"{identity(await agency.token())['application']}/{name}"


async def _interface_id(agency: Agency, name: str) -> str:
    full = await _own_name(agency, name)
    found = await agency.ask("GET", f"{API}/interfaces", params={"name": full})
    if not found["items"]:
        raise Failure(f"There is no interface {full}.", "sebalai interfaces list")
    return str(found["items"][0]["id"])


def appearance(options: Options) -> dict[str, Any]:
    """How the gateway meets the provider; the secret itself is put there by the operator.

    Raises: Misuse, Failure.
    """
    told: dict[str, Any] = {}
    if options.trust:
        told["trust_anchors"] = _file(options.trust).decode("ascii", "replace")
    if options.credential:
        kind, _, rest = options.credential.partition(":")
        number, _, header = rest.partition(":")
        if not number:
            raise Misuse("A credential has a kind and an id.", "--credential bearer:simduk")
        told["credential"] = {"kind": kind, "id": number} | ({"header": header} if header else {})
    return told


def interfaces_publish(_: Home, options: Options) -> int:
    contract = _contract(options.contract)

    async def work(agency: Agency) -> int:
        body = {
            "name": await _own_name(agency, options.name),
            "title": options.title,
            "addresses": options.address,
            "contract": contract,
            "accept_breaks": options.accept_breaks,
            "validation": {"requests": options.requests, "responses": options.responses},
        } | appearance(options)
        made = await agency.ask("POST", f"{API}/interfaces", json=body)
        show(options, made, f"{made['name']} version {made['contract_version']} is published.")
        return 0

    return run(work)


def interfaces_diff(_: Home, options: Options) -> int:
    contract = _contract(options.contract)

    async def work(agency: Agency) -> int:
        number = await _interface_id(agency, options.name)
        path = f"{API}/interfaces/{number}/diff"
        found = await agency.ask("POST", path, json={"contract": contract})
        lines = found["breaks"] or ["The same." if found["is_same"] else "Nothing breaks."]
        show(options, found, "\n".join(lines))
        return 1 if found["breaks"] else 0

    return run(work)


def interfaces_list(_: Home, options: Options) -> int:
    return _list(options, "interfaces", {}, lambda one: f"{one['name']}  {one['title']}")


def agreements_list(_: Home, options: Options) -> int:
    wanted = {"state": options.state} if options.state else {}
    return _list(
        options,
        "agreements",
        wanted,
        lambda one: f"{one['id']}  {one['state']:<9}  {one['consumer']} -> {one['interface']}",
    )


def _list(options: Options, what: str, wanted: dict[str, str], line: Callable[[Any], str]) -> int:
    async def work(agency: Agency) -> int:
        params: dict[str, str | int] = {**wanted, "limit": PAGE_ROWS}
        found = await agency.ask("GET", f"{API}/{what}", params=params)
        lines = [line(one) for one in found["items"]] or [f"No {what}."]
        if found["next"]:
            lines.append(f"... and more than these {PAGE_ROWS}")
        show(options, found, "\n".join(lines))
        return 0

    return run(work)


def agreements_request(_: Home, options: Options) -> int:
    rules = [told.split(maxsplit=1) for told in options.rule]
    if any(len(pair) != 2 for pair in rules):
        raise Misuse("A rule is 'GET /path/*'.")
    reasons = purposes(options)

    async def work(agency: Agency) -> int:
        body = {
            "consumer": identity(await agency.token())["application"],
            "interface": options.interface,
            "rules": [{"method": method.upper(), "path": path} for method, path in rules],
            "purposes": reasons,
            "data_categories": options.category,
            "valid_until": options.until,
            "signing": options.signing,
        }
        made = await agency.ask("POST", f"{API}/agreements", json=body)
        kept = [f"{one['code']} {one['keep_days']}" for one in reasons if "keep_days" in one]
        told = f" Events are heard back for, in days: {', '.join(kept)}." if kept else ""
        show(options, made, f"{made['id']} is requested; {made['provider']} grants it.{told}")
        return 0

    return run(work)


def purposes(options: Options) -> list[dict[str, Any]]:
    """Each with its legal basis, and with its days if any are given. Raises: Misuse."""
    pairs = [told.split("=", 1) for told in options.purpose]
    if any(len(pair) != 2 for pair in pairs):
        raise Misuse("A purpose is 'code=legal basis'.")
    days = dict[str, int]()
    for told in options.keep_days:
        code, number = _kept(told, [code for code, _ in pairs])
        if code in days:
            raise Misuse(f"--keep-days is given twice for {code}.")
        days[code] = number
    return [
        {"code": code, "legal_basis": basis} | ({"keep_days": days[code]} if code in days else {})
        for code, basis in pairs
    ]


def _kept(told: str, codes: list[str]) -> tuple[str, int]:
    """The purpose and its days. Raises: Misuse."""
    code, _, number = told.rpartition("=")
    if not _DAYS.fullmatch(number) or not 1 <= int(number) <= KEEP_DAYS_MAX:
        raise Misuse(f"--keep-days {told}: days are a whole number, 1 to {KEEP_DAYS_MAX}.")
    if not code and len(set(codes)) > 1:
        raise Misuse("--keep-days: of which purpose?", f"--keep-days {codes[0]}={number}")
    if code and code not in codes:
        raise Misuse(f"--keep-days: there is no --purpose {code!r}.", f"Yours: {', '.join(codes)}")
    return code or codes[0], int(number)


def agreements_grant(_: Home, options: Options) -> int:
    async def work(agency: Agency) -> int:
        made = await agency.ask("POST", f"{API}/agreements/{options.id}/grant")
        left = made["approvals_needed"] - len(made["approvals"])
        told = "granted" if made["state"] == "granted" else f"approved; {left} more must approve"
        show(options, made, f"{made['id']} is {told}.")
        return 0

    return run(work)


def receipts_get(_: Home, options: Options) -> int:
    async def work(agency: Agency) -> int:
        for _ in range(RECEIPT_TRIES):
            answer = await agency.send("GET", f"/receipts/{options.message_id}")
            if answer.status_code == 200:
                break
            if "receipt-pending" not in answer.text:
                raise refused("No receipt", answer)
            await asyncio.sleep(RECEIPT_WAIT_SECONDS)
        else:
            raise Failure(
                "The receipt is still pending.", "Try again; if it lasts, tell the operator."
            )
        _write(options.output, answer.text)
        return 0

    return run(work)


def _write(name: str | None, text: str) -> None:
    if name is None:
        print(text)
    else:
        Path(name).write_text(text, encoding="utf-8")


def receipts_verify(_: Home, options: Options) -> int:
    """Offline: the verifier beside this command, which needs no gateway."""
    command = [str(Path(sys.executable).with_name("sebalai-verify"))]
    if options.ledger_key:
        command += ["--key", options.ledger_key]
    if options.exchange:
        command += ["--exchange", options.exchange, "--signers", options.signers or ""]
    done = subprocess.run([*command, options.file], check=False, timeout=VERIFY_SECONDS)
    return min(done.returncode, 1)


def tail(_: Home, options: Options) -> int:
    params = {"interface": options.interface} if options.interface else {}

    async def work(agency: Agency) -> int:
        token = await agency.token()
        async with agency.stream(f"{API}/calls/tail", token, params) as answer:
            if answer.status_code != 200:
                await answer.aread()
                raise refused("No tail", answer)
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    one = json.loads(line.removeprefix("data: "))
                    who = f"{one['consumer']} -> {one['interface']}"
                    told = f"{one['completed_at']} {one['outcome']} {one['status']} {one['method']}"
                    show(options, one, f"{told} {who} {one['problem'] or ''}".rstrip())
                    sys.stdout.flush()
        return 0

    return run(work)


def completion(_: Home, options: Options) -> int:
    """Words of the first two places, and options; zsh reads bash's rules after bashcompinit."""
    from sebalai_local import cli  # noqa: PLC0415 - the grammar imports this module's names

    found = cli.words()
    taken = "\n".join(
        f"    '{typed} '*) set -- {' '.join(one)} ;;" for typed, one in cli.options().items()
    )
    cases = "\n".join(
        f"    {name}) set -- {' '.join(one)} ;;" for name, one in found.items() if one
    )
    if options.shell == "zsh":
        print("autoload -U +X bashcompinit && bashcompinit")
    print(
        "_sebalai() {\n  local now=${COMP_WORDS[COMP_CWORD]}\n"
        f'  set -- {" ".join(found)}\n  if [ "$COMP_CWORD" -gt 1 ]; then set --\n'
        f"    case ${{COMP_WORDS[1]}} in\n{cases}\n    esac\n  fi\n"
        f"  if [[ $now == -* ]]; then set --\n"
        f'    case "${{COMP_WORDS[*]:1}} " in\n{taken}\n    esac\n  fi\n'
        '  COMPREPLY=($(compgen -W "$*" -- "$now"))\n}\ncomplete -o default -F _sebalai sebalai'
    )
    return 0
