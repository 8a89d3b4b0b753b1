"""Rows of a CSV or XLSX file as texts by heading. What a row means does not belong here."""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

MOST_ROWS: Final = 2_000_000
LARGEST_BYTES: Final = 512 * 1024 * 1024
LARGEST_UNPACKED: Final = 2 * 1024 * 1024 * 1024


class TableError(Exception):
    """The file is no table that can be read."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: its number as a person counts (the headings are row 1), and its texts by heading."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table: its headings, and its rows in order; empty rows are left out."""

    headings: tuple[str, ...]
    rows: tuple[TableRow, ...]


def rows_in(path: Path) -> Rows:
    """The table in a file, by its ending `.csv` or `.xlsx` (the first sheet).

    Raises:
        TableError: it cannot be read as such, is too large, or two columns have one heading.
        OSError: the file cannot be read.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise TableError(f"{path.name}: larger than {LARGEST_BYTES} bytes")
    match path.suffix.lower():
        case ".csv":
            lines = _csv_lines(path)
        case ".xlsx":
            lines = _xlsx_lines(path)
        case other:
            raise TableError(f"{path.name}: a roster is a .csv or .xlsx file, not {other or 'one without an ending'}")
    return _table(path, lines)


def _table(path: Path, lines: Iterator[Sequence[str]]) -> Rows:
    headings = tuple(heading.strip() for heading in next(lines, ()))
    while headings and not headings[-1]:  # a sheet may be wider than its table
        headings = headings[:-1]
    if not headings:
        raise TableError(f"{path.name}: the first row must hold the headings")
    twice = sorted({heading for heading in headings if headings.count(heading) > 1})
    if twice:
        raise TableError(f"{path.name}: two columns are called {', '.join(twice) or 'nothing'}")
    rows: list[TableRow] = []
    for number, line in enumerate(lines, start=2):
        cells = [cell.strip() for cell in line]
        if any(cells[len(headings) :]):
            raise TableError(f"{path.name}, row {number}: more cells than headings")
        if any(cells):
            rows.append(TableRow(number, dict(zip(headings, cells, strict=False))))
        if len(rows) > MOST_ROWS:
            raise TableError(f"{path.name}: more than {MOST_ROWS} rows")
    return Rows(headings, tuple(rows))


def _csv_lines(path: Path) -> Iterator[Sequence[str]]:
    text = _decoded(path)
    try:
        # A semicolon or tab is what spreadsheets of some countries write.
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise TableError(f"{path.name}: not CSV: {error}") from error


def _decoded(path: Path) -> str:
    """As UTF-8, else as GB 18030, which Chinese spreadsheets write."""
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableError(f"{path.name}: neither UTF-8 nor GB 18030")


def _xlsx_lines(path: Path) -> Iterator[Sequence[str]]:
    from openpyxl import load_workbook  # noqa: PLC0415 -- slow to load, and most commands never see a sheet
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_UNPACKED:
                raise TableError(f"{path.name}: larger than {LARGEST_UNPACKED} bytes when unpacked")
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
        raise TableError(f"{path.name}: not an XLSX workbook") from error
    try:
        sheet = book.worksheets[0] if book.worksheets else None
        for line in sheet.iter_rows(values_only=True) if sheet is not None else ():
            yield [_text(value) for value in line]
    finally:
        book.close()


def _text(value: Any) -> str:  # noqa: ANN401 -- whatever a cell holds
    """A cell as a person reads it: 13800000001 and not 13800000001.0."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
