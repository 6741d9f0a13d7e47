"""Ticket numbers: short enough to say on the telephone, too many to guess, one sign to check.

`BB-26-7F3K-9Q2M-X`: the year, eight random signs of Crockford's base 32 without Z (no I, L, O, U),
and a check sign modulo 31. With 31 signs and a prime, one wrong sign is always noticed.
"""

import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXY"
PREFIX = "BB"
LENGTH = 8
SHAPE = re.compile(r"^BB-\d{2}-[0-9A-HJKMNP-TV-Y]{4}-[0-9A-HJKMNP-TV-Y]{4}-[0-9A-HJKMNP-TV-Y]$")
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_ticket(year: int) -> str:
    signs = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    body = f"{year % 100:02d}{signs}"
    return f"{PREFIX}-{body[:2]}-{signs[:4]}-{signs[4:]}-{_check(body)}"


def read_ticket(text: str) -> str | None:
    """As people write it (lower case, O for 0) in our spelling; null when a sign is wrong."""
    signs = re.sub(r"[^0-9A-Z]", "", text.upper())
    if not signs.startswith(PREFIX) or len(signs) != len(PREFIX) + 2 + LENGTH + 1:
        return None
    body = signs[len(PREFIX) :].translate(_READ_AS)
    ticket = f"{PREFIX}-{body[:2]}-{body[2:6]}-{body[6:10]}-{body[10]}"
    return ticket if SHAPE.match(ticket) and _check(body[:-1]) == body[-1] else None


def _check(body: str) -> str:
    total = sum((place + 1) * ALPHABET.index(sign) for place, sign in enumerate(body))
    return ALPHABET[total % len(ALPHABET)]
