"""A table becomes the next version of a roster: whole, or not at all.

Who is entered keeps their number over versions: they are known again by the roster's own key where it has one, else
by how they are reached. Contacts go to the vault before the version is recorded: a crash in between leaves numbers
that nobody is told by, and the next import finds and uses them.
"""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.rosters.checking import Entry, RowChecker, RowFinding
from adapters.rosters.columns import columns_of
from adapters.rosters.tables import Rows
from adapters.vault.vault import Contact, ContactVault, Person
from domain.messages import Mode
from domain.policy import Policy
from domain.ports import Gazetteer
from domain.recipients import Recipient
from domain.rosters import RosterDifference, difference

Advance = Callable[[int], None]
"""Told how many rows have been dealt with."""


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """What a table came to: entries for every good row, every finding, and the columns that were passed over."""

    entries: tuple[Entry, ...]
    findings: tuple[RowFinding, ...]
    rows: int
    passed_over: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether it can be taken in."""
        return not self.findings and bool(self.entries)


@dataclass(frozen=True, slots=True)
class NextVersion:
    """The recipients of a roster's next version, by number, and how they differ from those before."""

    recipients: Mapping[int, Recipient]
    difference: RosterDifference


def check_table(
    table: Rows,
    policy: Policy,
    gazetteer: Gazetteer,
    *,
    mapping: Mapping[str, str] | None = None,
    region: str = "CN",
    role: str = "",
    advance: Advance | None = None,
) -> CheckedTable:
    """Check every row of a table.

    Raises:
        ColumnsError: the headings cannot be used.
    """
    columns = columns_of(table.headings, mapping)
    checker = RowChecker(policy, gazetteer, columns, region=region, role=role)
    entries: list[Entry] = []
    findings: list[RowFinding] = []
    for row in table.rows:
        entry, found = checker.check(row)
        findings += found
        if entry is not None:
            entries.append(entry)
        if advance is not None:
            advance(1)
    return CheckedTable(tuple(entries), tuple(findings), len(table.rows), columns.passed_over)


def enter(
    entries: Sequence[Entry], before: Mapping[int, Recipient], vault: ContactVault, *, roster: str, mode: Mode
) -> NextVersion:
    """Give every entry its number, bring the vault in line, and say how the version differs from the one before."""
    numbers = _known_numbers(entries, before, vault)
    known = [entry for entry in entries if entry.row in numbers]
    unknown = [entry for entry in entries if entry.row not in numbers]
    vault.change({numbers[entry.row]: entry.person for entry in known if _differs(vault, numbers[entry.row], entry)})
    for entry, number in zip(unknown, vault.enter([entry.person for entry in unknown]), strict=True):
        numbers[entry.row] = number
    recipients = {numbers[entry.row]: entry.recipient(numbers[entry.row], roster, mode) for entry in entries}
    return NextVersion(recipients, difference(before, recipients))


def preview(entries: Sequence[Entry], before: Mapping[int, Recipient], vault: ContactVault) -> tuple[int, int]:
    """How many entries are known already and how many are not, with nothing changed."""
    known = len(_known_numbers(entries, before, vault))
    return known, len(entries) - known


def _known_numbers(entries: Sequence[Entry], before: Mapping[int, Recipient], vault: ContactVault) -> dict[int, int]:
    """By row, the number under which the roster had this recipient: the contact is the same, and nobody's twice."""
    wanted = [contact for entry in entries for contact in entry.person.contacts]
    found = vault.found(wanted) if before else {}
    taken: set[int] = set()
    numbers: dict[int, int] = {}
    for entry in entries:
        for number in _numbers_of(entry, found):
            if number in before and number not in taken:
                numbers[entry.row] = number
                taken.add(number)
                break
    return numbers


def _numbers_of(entry: Entry, found: Mapping[Contact, Sequence[int]]) -> Iterable[int]:
    return (number for contact in entry.person.contacts for number in found.get(contact, ()))


def _differs(vault: ContactVault, number: int, entry: Entry) -> bool:
    held = vault.person(number)
    return held is None or _sorted(held) != _sorted(entry.person)


def _sorted(person: Person) -> tuple[str, tuple[Contact, ...]]:
    return person.name, tuple(sorted(person.contacts, key=lambda contact: contact.kind.value))


def findings_as_csv(findings: Sequence[RowFinding], path: Path) -> None:
    """The findings as a table beside the roster, for whoever mends it.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "field", "code", "sentence"))
        writer.writerows((one.row, one.field, one.code.value, spreadsheet_safe(one.sentence)) for one in findings)


_FORMULA: Final = re.compile('(^|[;\t\r\n,"])(?=[ \t\r\n]*[-=+@\uff1d\uff0b\uff0d\uff20])')
"""Where a cell would begin with a formula: at its own beginning, or behind what another reader splits it at."""


def spreadsheet_safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula, whichever separator it splits at."""
    return _FORMULA.sub(r"\1'", text)
