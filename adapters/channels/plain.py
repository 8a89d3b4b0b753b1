"""Text that shows what it says: no control characters, and none that turn the direction of what follows.

For texts to phones and screens, and for headers of mails.
"""

import unicodedata
from typing import Final

_BIDIRECTIONAL: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NEVER: Final = frozenset({"Cc", "Cs", "Co", "Cn"})


def plain_text(text: str) -> str:
    """The text without them; line ends are kept, as line feeds, and a tabulator becomes a space."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(_plain(letter) for letter in lines)


def plain_line(text: str) -> str:
    """The same on one line."""
    return " ".join(plain_text(text).split())


def _plain(letter: str) -> str:
    if letter == "\n":
        return letter
    if letter == "\t":
        return " "
    dropped = letter in _BIDIRECTIONAL or letter == "\ufeff" or unicodedata.category(letter) in _NEVER
    return "" if dropped else letter
