"""What stands in a QRIS code (merchant presented mode), read and checked before anybody pays by it.

QRIS is Bank Indonesia's profile of EMVCo's QR Code Specification for Payment Systems (MPM): data
objects of a two-digit name, a two-digit length in characters and a value, the last a checksum.
"""

from decimal import Decimal, InvalidOperation

LENGTH_MAX = 512
"""EMVCo 1.1, section 4: a code's data in characters."""
CRC = "63"
POLYNOMIAL, START = 0x1021, 0xFFFF
VERSION, MODE, CURRENCY, AMOUNT, COUNTRY = "00", "01", "53", "54", "58"
FIXED = {VERSION: "01", MODE: "12", CURRENCY: "360", COUNTRY: "ID"}
"""Of a code for one payment (`12`, dynamic) in rupiah (ISO 4217: 360), in Indonesia."""


class QrisInvalid(ValueError):
    """It is no code of one payment over this amount."""


def checksum(text: str) -> str:
    """CRC-16 of ISO/IEC 13239 (0x1021, begun at 0xFFFF) over UTF-8, four hex digits."""
    value = START
    for byte in text.encode():
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1) ^ POLYNOMIAL if value & 0x8000 else value << 1
        value &= 0xFFFF
    return f"{value:04X}"


def objects(content: str) -> dict[str, str]:
    """Values by name. Raises: QrisInvalid for what is no sequence of objects, or is changed."""
    if not 8 < len(content) <= LENGTH_MAX:
        raise QrisInvalid("its length is none of a code")
    found, place = dict[str, str](), 0
    while place < len(content):
        name, length = content[place : place + 2], content[place + 2 : place + 4]
        if not (_is_number(name) and _is_number(length)) or name in found:
            raise QrisInvalid("an object has no name or length of its own")
        value = content[place + 4 : place + 4 + int(length)]
        if len(value) != int(length):
            raise QrisInvalid("an object is cut off")
        found[name], place = value, place + 4 + int(length)
    if next(reversed(found)) != CRC or found[CRC].upper() != checksum(content[:-4]):
        raise QrisInvalid("its checksum is wrong")
    return found


def _is_number(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isdigit()


def check(content: str, rupiah: int) -> None:
    """That it asks for exactly so much, once. Raises: QrisInvalid."""
    found = objects(content)
    for name, value in FIXED.items():
        if found.get(name) != value:
            raise QrisInvalid(f"object {name} is not {value}")
    try:
        asked = Decimal(found.get(AMOUNT, ""))
    except InvalidOperation as error:
        raise QrisInvalid("it asks for no amount") from error
    if asked != rupiah:
        raise QrisInvalid("it asks for another amount")
