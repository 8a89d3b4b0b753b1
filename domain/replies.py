"""What a short message means that somebody sent back: a confirmation, a code, a wish to be left alone, or nothing.

The whole message must say it: a 1 within a sentence confirms nothing, and neither does a question. Who sent it, and
what it is about, is not known here.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from unicodedata import category, normalize

LONGEST: Final = 200
"""Characters; whoever writes more than three short messages means more than one of these words."""


class ReplyKind(StrEnum):
    """What a reply means."""

    CONFIRM = "confirm"
    CODE = "code"
    STOP = "stop"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply; `code` are the six digits of a CODE."""

    kind: ReplyKind
    code: str = ""


CONFIRMING: Final = frozenset(
    {"已收到", "收到", "收到了", "已收悉", "收悉", "确认", "已确认", "ok", "okay", "received", "yes"}
)
CONFIRMING_ALONE: Final = frozenset({"1", "y"})
"""Too short to stand beside anything else."""

POLITE: Final = frozenset({"谢谢", "好的", "好", "thanks", "thank you", "thx"})
STOPPING: Final = frozenset({"td", "t", "退订", "stop", "unsubscribe"})

_REPLYING: Final = re.compile(r"(?:回复|回|reply)[\s:\"'“”‘’「」『』【】\[\]()]*(?P<word>\S+)")
"""`回复1`: the request's own words, copied with what they ask for."""

_CODE: Final = re.compile(r"(?:验证码|code)?[\s:]*(?P<first>[0-9]{3})[ -]?(?P<last>[0-9]{3})")
_BETWEEN: Final = re.compile(r"[\s,.;!。，；！、]+")
_AROUND: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Po", "Ps", "Pe", "Pi", "Pf", "So", "Sk", "Mn"})
"""Categories of what may stand around the words: spaces, stops, quotes, brackets, pictures and their modifiers."""

_SAYS_SOMETHING: Final = frozenset("?%#*/\\&@")
"""Of these categories, what makes another thing of the words: a question, a share, a path."""


def meaning_of(text: str) -> Reply:
    """What a message means; fullwidth letters, case, spaces and stops around the words make no difference."""
    if len(text) > LONGEST:
        return Reply(ReplyKind.UNKNOWN)
    words = _stripped(normalize("NFKC", text).casefold())
    asked = _REPLYING.fullmatch(words)
    word = words if asked is None else _stripped(asked["word"])
    if word in STOPPING:
        return Reply(ReplyKind.STOP)
    if word in CONFIRMING_ALONE or (asked is None and _is_confirming(words)) or word in CONFIRMING:
        return Reply(ReplyKind.CONFIRM)
    code = _CODE.fullmatch(words)
    return Reply(ReplyKind.UNKNOWN) if code is None else Reply(ReplyKind.CODE, code["first"] + code["last"])


def _stripped(text: str) -> str:
    """The text without what stands around its words."""
    start, end = 0, len(text)
    while start < end and _is_around(text[start]):
        start += 1
    while start < end and _is_around(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_around(character: str) -> bool:
    return character == "~" or (category(character) in _AROUND and character not in _SAYS_SOMETHING)


def _is_confirming(words: str) -> bool:
    """`收到，谢谢`: a word that confirms, and beside it at most politeness."""
    parts = {part for part in _BETWEEN.split(words.replace("thank you", "thanks")) if part}
    return bool(parts & CONFIRMING) and parts <= CONFIRMING | POLITE
