"""Villages from a CSV file: what is finer than the table of divisions.

The file has a head line with at least `code12` and `name`; other columns are not read.
"""

import csv
import io
import re
from collections.abc import Mapping

from adapters.gazetteer.errors import GazetteerError, refuse_if_any

_VILLAGE = re.compile(r"\d{12}", re.ASCII)


def read_villages(content: bytes) -> Mapping[str, str]:
    """Village names by 12-digit code, from CSV in UTF-8 (with or without a byte order mark).

    Raises:
        GazetteerError: with everything that is wrong, by line: no such columns, a code that is none or comes twice,
            a missing name.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GazetteerError(["The file is not UTF-8."]) from error
    rows = csv.DictReader(io.StringIO(text, newline=""))
    missing = {"code12", "name"}.difference(rows.fieldnames or ())
    refuse_if_any([f"The head line has no column {column}." for column in sorted(missing)])
    found: dict[str, str] = {}
    problems: list[str] = []
    for row in rows:
        code, name = (row["code12"] or "").strip(), (row["name"] or "").strip()
        if not _VILLAGE.fullmatch(code) or code.endswith("000"):
            problems.append(f"Line {rows.line_num}: {code!r} is no village's code of 12 digits.")
        elif code in found:
            problems.append(f"Line {rows.line_num}: the code {code} comes twice.")
        elif not name:
            problems.append(f"Line {rows.line_num}: the village {code} has no name.")
        found[code] = name
    refuse_if_any(problems)
    return found
