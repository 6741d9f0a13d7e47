"""Indonesian words to their stems by PySastrawi, with our own stop list.

PostgreSQL's `indonesian` gives pemusnahan and dimusnahkan different stems and keeps "dan" and
"yang"; numbers and foreign words pass through unchanged.
"""

import re
from functools import lru_cache
from typing import Any

WORDS_MAX = 20_000
WORD_LENGTH_MAX = 60
STEMS_CACHED = 100_000
MENDED_LENGTH_MIN = 4

_WORD = re.compile(r"[^\W_]+(?:[-/.][^\W_]+)*", re.UNICODE)
_STOP = """
ada adalah agar akan antara apa atas atau bagi bahwa bagaimana banyak beberapa belum
bila bisa dalam dan dapat dari demi dengan di hal hanya harus hingga ia ini itu jika
juga kami karena ke kepada kita lain maka masih mereka namun oleh pada para per perlu
pula saat saja sampai sangat sebagai sebelum sebuah secara sedang sehingga seluruh semua
seperti serta sesuai setelah setiap suatu sudah supaya telah tentang terhadap tersebut
tetapi tidak untuk yaitu yakni yang
"""
STOP = frozenset(_STOP.split())


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    """Loads its dictionary once (0.3 s), at first use."""
    from Sastrawi.Stemmer.StemmerFactory import StemmerFactory  # noqa: PLC0415

    return StemmerFactory().create_stemmer()


@lru_cache(maxsize=STEMS_CACHED)
def stem(word: str) -> str:
    if not (word.isascii() and word.isalpha()):
        return word
    return str(_stemmer().stem(word)) or word


def words_of(text: str) -> list[str]:
    """Words in lower case, bounded in number and length."""
    found = (match.group().lower() for match in _WORD.finditer(text))
    return [
        word
        for word, _ in zip(found, range(WORDS_MAX), strict=False)
        if len(word) <= WORD_LENGTH_MAX
    ]


def is_mendable(word: str) -> bool:
    """Whether a typing error in it is looked for: a word of letters, neither short nor a number."""
    return len(word) >= MENDED_LENGTH_MIN and word.isalpha()


def stemmed(text: str) -> str:
    """The stems of the text's words without stop words, one space between."""
    return " ".join(stem(word) for word in words_of(text) if word not in STOP)


def plain(text: str) -> str:
    """The same words unstemmed, for names, numbers and phrases."""
    return " ".join(words_of(text))
