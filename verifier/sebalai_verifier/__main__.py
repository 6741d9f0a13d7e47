"""`sebalai-verify receipt.json`: exit 0 and a summary, or exit 1 and the reason.

Owns reading the file and printing. Needs no server, no database and no network.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sebalai_verifier.exchange import check_exchange
from sebalai_verifier.failures import VerificationError
from sebalai_verifier.keys import DEFAULT_FILE, ENVIRONMENT, pinned_keys
from sebalai_verifier.large_object import check_object
from sebalai_verifier.receipt import RECEIPT_BYTES_LIMIT, Verified, verify_receipt


def _read(name: str) -> bytes:
    limit = RECEIPT_BYTES_LIMIT + 1
    try:
        if name == "-":
            return sys.stdin.buffer.read(limit)
        with Path(name).open("rb") as file:
            return file.read(limit)
    except (OSError, ValueError) as error:
        raise VerificationError("unreadable", "the receipt file cannot be read") from error


def _shown(value: object) -> str:
    """A value of a receipt on one line, without what could steer a terminal."""
    text = "-" if value is None else str(value)
    return "".join(char if char.isprintable() else "?" for char in text)[:300]


def _summary(verified: Verified) -> str:
    lines = [f"OK   {verified.kind} {_shown(verified.id)} at {_shown(verified.time)}"]
    payload = verified.payload
    if verified.kind == "call":
        purpose = _shown(payload.get("purpose"))
        parties = (_shown(payload.get("consumer")), _shown(payload.get("interface")))
        result = " ".join(_shown(payload.get(field)) for field in ("method", "outcome", "status"))
        lines += [f"     {parties[0]} -> {parties[1]}", f"     {result}, purpose {purpose}"]
    else:
        lines.append(f"     {_shown(payload.get('type'))} {_shown(payload.get('subject'))}")
    lines.append(
        f"     entry {verified.index} of {verified.size} in {verified.origin}, "
        f"signed by {verified.signed_by}"
    )
    return "\n".join(lines)


def _signers(options: argparse.Namespace, found: Sequence[Verified]) -> dict[str, str]:
    """Who signed which side, where a signed exchange is to be checked."""
    if options.exchange is None:
        return {}
    if not options.signers:
        raise VerificationError("missing-key", "give --signers, the keys of both sides")
    if len(found) > 1:
        raise VerificationError("malformed", "one exchange has one receipt")
    return check_exchange(found[0], _read(options.exchange), _read(options.signers))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="sebalai-verify", description="Check a call or event receipt offline."
    )
    parser.add_argument("receipt", nargs="+", help="the receipt file, or - for standard input")
    parser.add_argument(
        "--key",
        metavar="VKEY|FILE",
        help=f"the pinned ledger key (else the file in {ENVIRONMENT}, else {DEFAULT_FILE})",
    )
    parser.add_argument(
        "--exchange", metavar="FILE", help="the signed exchange that the receipt is of"
    )
    parser.add_argument("--signers", metavar="FILE", help="the keys of both sides, as a JWK set")
    parser.add_argument(
        "--object", metavar="FILE", help="the large object whose parts these receipts are of"
    )
    options = parser.parse_args(arguments)
    try:
        keys = pinned_keys(options.key)
        found = [verify_receipt(_read(name), keys) for name in options.receipt]
        signers = _signers(options, found)
        whole = check_object(found, Path(options.object)) if options.object else None
    except VerificationError as error:
        print(f"FAILED {error}", file=sys.stderr)
        return 1
    print("\n".join(map(_summary, found)))
    if whole is not None:
        print(f"     {options.object} passed in parts, sha256 {whole}")
    for side, thumbprint in signers.items():
        print(f"     {side} signed by {thumbprint}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
