"""Bill codes: digits only, because a cash machine has no letters.

`26 123456789 3`: the year, nine random digits, a check digit (Luhn, ISO/IEC 7812-1 annex B), which
notices every single wrong digit before money goes to another's bill.
"""

import secrets

RANDOM_DIGITS = 9
CODE_LENGTH = 2 + RANDOM_DIGITS + 1


def new_code(year: int) -> str:
    body = f"{year % 100:02d}{secrets.randbelow(10**RANDOM_DIGITS):0{RANDOM_DIGITS}d}"
    return body + check_digit(body)


def check_digit(body: str) -> str:
    total = 0
    for place, sign in enumerate(reversed(body)):
        doubled = int(sign) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def is_code(text: str) -> bool:
    is_shaped = len(text) == CODE_LENGTH and text.isascii() and text.isdigit()
    return is_shaped and check_digit(text[:-1]) == text[-1]
