"""Writes `docs/codes.md`, every finding code and every kind of problem: `python -m adapters.http.codes`.

The words behind a code are the comments behind it in `domain/findings.py`, so that there is one place to keep true.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from typing import Final

from adapters.http.problems import TYPE_PREFIX, Kind
from domain.findings import Code

_LINE: Final = re.compile(r'^    (?:# (?P<group>.+)|[A-Z0-9_]+ = "(?P<code>[^"]+)"(?:\s+# (?P<words>.+))?)$')

_WORDS: Final = {
    Code.EXPIRES_BEFORE_SENT: "the message ends before it was sent",
    Code.CIRCLE: "a circle that is malformed, or whose radius cannot be meant",
    Code.GEOCODE: "a geocode without a name or a value, or of the wrong form",
    Code.UNKNOWN_HAZARD: "the policy knows no hazard for the event and its codes",
    Code.UNKNOWN_LEVEL: "no level can be read; as a note: the hazard does not use this level",
    Code.UNKNOWN_AGENCY: "the policy knows no such agency, or several speak as this sender",
    Code.OUTSIDE: "wholly outside the districts of this outlet",
    Code.PARTLY_OUTSIDE: "some places lie outside the districts of this outlet; the others stand",
    Code.REMIT_HAZARD: "the agency may not warn of this hazard",
    Code.REMIT_AREA: "the agency may not warn in one of these areas",
    Code.REMIT_LEVEL: "the agency may not set this level",
}
"""For codes that have no comment, or one that is too short for a reader without the source."""

HEAD: Final = """# Codes

Written by `python -m adapters.http.codes`; do not edit. Codes and problem names are part of the public interface:
they are never renamed and never reused.

## Findings

Every finding has a `code`, a `path` (where in the document: `/alert/info[1]/expires`, or `/` for the whole; JSON
messages have the same paths) and a `sentence` for people. A finding refuses its message or is a note beside an
accepted one; which of the two is for the outlet's policy to say where a defect leaves the meaning clear.
"""

PROBLEMS_HEAD: Final = f"""
## Problems

Errors are RFC 9457 documents (`application/problem+json`). `type` is `{TYPE_PREFIX}<name>`, `instance` names the
request (the same id is in the answer's `X-Request-Id`). Refused messages add `findings`, each with the number of its
message in the request, and `receipts`, which tell what became of every message.

| name | status | when | what to do |
| --- | --- | --- | --- |
"""


def document() -> str:
    """The whole page."""
    problems = "".join(
        f"| `{kind.value.name}` | {int(kind.value.status)} | {kind.value.title} | {kind.value.advice} |\n"
        for kind in sorted(Kind, key=lambda kind: (kind.value.status, kind.value.name))
    )
    return f"{HEAD}{''.join(_findings())}{PROBLEMS_HEAD}{problems}"


def _findings() -> Iterator[str]:
    for line in inspect.getsource(Code).splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        if found["group"]:
            yield f"\n### {found['group'][0].upper()}{found['group'][1:]}\n\n| code | when |\n| --- | --- |\n"
        else:
            code = Code(found["code"])
            yield f"| `{code.value}` | {_WORDS.get(code) or found['words'] or ''} |\n"


if __name__ == "__main__":
    sys.stdout.write(document())
