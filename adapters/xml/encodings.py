"""Which encoding a document is in, decided by us and never by the parser.

Everything becomes UTF-8 before anything looks for markup in it, so no encoding can hide a declaration from the
checks in `safe.py`. Encodings in which plain letters can mean markup (UTF-7, ISO-2022, EBCDIC) are not read.
"""

import re
from functools import lru_cache

from domain.findings import Code, RefusedMessageError, refusal

_MARKS = (
    # The four-byte marks come first: the mark of UTF-32-LE begins with the mark of UTF-16-LE.
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)

_EBCDIC_DECLARATION = b"\x4c\x6f\xa7\x94"
"""`<?xm` in EBCDIC, whose code pages cannot be told apart before they are read."""

_UTF8_NAMES = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})

_WIDE_NAMES = frozenset({"utf-16", "utf-16le", "utf-16be", "unicode", "utf-32", "utf-32le", "utf-32be"})
"""Claims that are false of bytes without a mark; programs that build a string first write them over UTF-8."""

_CODECS = {
    **{f"iso-8859-{number}": f"iso8859-{number}" for number in (*range(1, 12), *range(13, 17))},
    **{f"windows-{number}": f"cp{number}" for number in range(1250, 1259)},
    "latin1": "iso8859-1",
    # GB 18030 contains GBK and GB 2312; senders who claim the smaller set use the larger one.
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc-jp": "euc-jp",
    "euc-kr": "euc-kr",
    "tis-620": "tis-620",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
}

_LONGEST_DECLARATION = 300
_DECLARED = re.compile(rb"""<\?xml[^<>?]{0,200}?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,40})["']""")


def as_utf8(content: bytes) -> bytes:
    """The same document in UTF-8, whatever its declaration goes on to say.

    What claims UTF-8 is handed back as it is; the parser refuses bytes that are not.

    Raises:
        RefusedMessageError: `Code.NOT_UTF8`, for an encoding that is not read or bytes that are not in it.
    """
    codec = _codec(content)
    if codec == "utf-8":
        return content
    try:
        text = content.decode(codec)
    except (UnicodeDecodeError, LookupError) as error:
        raise _refused(f"The bytes are not text in {codec}, the encoding that they claim.") from error
    try:
        return text.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair, which some codecs let through
        raise _refused(f"The bytes hold characters that do not exist in {codec}.") from error


def _codec(content: bytes) -> str:
    # Nearly every document begins with a plain less-than sign, which none of the marks does.
    if content[:1] != b"<" or b"\x00" in content[:4]:
        for mark, codec in _MARKS:
            if content.startswith(mark):
                return codec
        if content.startswith(_EBCDIC_DECLARATION):
            raise _refused("EBCDIC is not read; send UTF-8.")
    return _codec_of_declaration(content[: content.find(b"?>", 0, _LONGEST_DECLARATION) + 2])


@lru_cache(maxsize=64)
def _codec_of_declaration(declaration: bytes) -> str:
    """Remembered, because a sender begins every document alike."""
    declared = _DECLARED.match(declaration.removeprefix(b"\xef\xbb\xbf").lstrip())
    if declared is None:
        return "utf-8"
    name = declared[1].decode("ascii").lower()
    if name in _UTF8_NAMES or name in _WIDE_NAMES:
        return "utf-8"
    if name not in _CODECS:
        raise _refused(f"The encoding {name} is not read; send UTF-8.")
    return _CODECS[name]


def _refused(sentence: str) -> RefusedMessageError:
    return RefusedMessageError([refusal(Code.NOT_UTF8, "/", sentence)])
