"""What was handed to parent systems, what they answered, and what did not come through."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.json import decode, encode

from domain.edge_events import PassedUpAcknowledged, PassingUpFailed, ReleasePassedUp
from domain.passing_up import DocumentState, Reason
from projections import facts
from projections.base import (
    Condition,
    Delete,
    Insert,
    Projection,
    ReadTables,
    RowChange,
    Table,
    Upsert,
    equal,
    microseconds_of,
    moment_of,
)


class PassedRow(NamedTuple):
    """A release that was handed over, last at `at`; `recorded` is that fact's own position."""

    parent: str
    position: int
    recorded: int
    at: int
    form: str
    warning_id: str
    documents: bytes
    note: str


class DocumentRow(NamedTuple):
    """One document of it; `stem` is by what an acknowledgement's file is matched."""

    parent: str
    position: int
    document: str
    stem: str


class WaitingRow(NamedTuple):
    """A document that is not answered yet."""

    parent: str
    position: int
    document: str
    at: int


class AnswerRow(NamedTuple):
    """What was answered last about a document."""

    parent: str
    position: int
    document: str
    recorded: int
    at: int
    accepted: int
    error_code: str
    note: str


class FailureRow(NamedTuple):
    """One recorded failure."""

    recorded: int
    parent: str
    position: int
    at: int
    form: str
    reason: str
    final: int


PASSED = Table(
    "passed_up", PassedRow, key=("parent", "position"), indexes=(("parent", "recorded"), ("parent", "warning_id"))
)
DOCUMENTS = Table(
    "passed_up_documents", DocumentRow, key=("parent", "position", "document"), indexes=(("parent", "stem"),)
)
WAITING = Table("passed_up_waiting", WaitingRow, key=("parent", "position", "document"))
ANSWERS = Table(
    "passed_up_answers",
    AnswerRow,
    key=("parent", "position", "document"),
    indexes=(("parent", "recorded"), ("parent", "accepted", "position")),
)
FAILURES = Table(
    "passing_up_failures",
    FailureRow,
    key=("recorded",),
    indexes=(("parent", "position"), ("parent", "recorded"), ("parent", "final", "recorded")),
)


def stem_of(document: str) -> str:
    """A document's name without folders and endings, in small letters: what its acknowledgement is named after."""
    stem = document.replace("\\", "/").rpartition("/")[2].lower()
    while stem.endswith((".xml", ".zip")):
        stem = stem[:-4]
    return stem


def _passed(position: int, fact: facts.ReleasePassedUp) -> Iterable[RowChange]:
    at, documents = microseconds_of(fact.at), encode(fact.documents)
    yield Upsert(
        PASSED,
        PassedRow(fact.parent, fact.position, position, at, fact.form, fact.warning_id, documents, fact.note),
    )
    for document in fact.documents:
        yield Upsert(DOCUMENTS, DocumentRow(fact.parent, fact.position, document, stem_of(document)))
        yield Upsert(WAITING, WaitingRow(fact.parent, fact.position, document, at))


def _acknowledged(position: int, fact: facts.PassedUpAcknowledged) -> Iterable[RowChange]:
    yield Delete(WAITING, ("parent", "position", "document"), (fact.parent, fact.position, fact.document))
    yield Upsert(
        ANSWERS,
        AnswerRow(
            fact.parent,
            fact.position,
            fact.document,
            position,
            microseconds_of(fact.at),
            int(fact.accepted),
            fact.error_code,
            fact.note,
        ),
    )


def _failed(position: int, fact: facts.PassingUpFailed) -> Iterable[RowChange]:
    at = microseconds_of(fact.at)
    yield Insert(
        FAILURES, FailureRow(position, fact.parent, fact.position, at, fact.form, fact.reason, int(fact.final))
    )


PASSING_UP_PROJECTION = Projection(
    name="passing-up",
    version=1,
    tables=(PASSED, DOCUMENTS, WAITING, ANSWERS, FAILURES),
    handlers={
        ReleasePassedUp.TOPIC: _passed,
        PassedUpAcknowledged.TOPIC: _acknowledged,
        PassingUpFailed.TOPIC: _failed,
    },
)


class DocumentAtParent(NamedTuple):
    """One document and how it fares; a release that never got there has one without a name."""

    position: int
    document: str
    state: DocumentState
    passed_at: datetime | None
    answered_at: datetime | None
    error_code: str
    note: str


def passed_up(tables: ReadTables, parent: str, position: int) -> PassedRow | None:
    """What was handed over of a release; None if nothing was."""
    rows = tables.select(PASSED, equal(parent=parent, position=position), limit=1)
    return rows[0] if rows else None


def documents_in(row: PassedRow) -> tuple[str, ...]:
    """The names of the documents of a release that was handed over."""
    return decode(row.documents, type=tuple[str, ...])


def has_heard_of(tables: ReadTables, parent: str, warning_id: str) -> bool:
    """Whether a release of this warning was handed over."""
    return bool(tables.select(PASSED, equal(parent=parent, warning_id=warning_id), limit=1))


def unanswered(tables: ReadTables, parent: str) -> Sequence[WaitingRow]:
    """The documents that wait for an answer, oldest release first."""
    return tables.select(WAITING, equal(parent=parent), order=("position", "document"))


def answer_to(tables: ReadTables, parent: str, position: int, document: str) -> AnswerRow | None:
    """The last answer to a document; None while it waits for one."""
    where = equal(parent=parent, position=position, document=document)
    if tables.select(WAITING, where, limit=1):
        return None
    rows = tables.select(ANSWERS, where, limit=1)
    return rows[0] if rows else None


def documents_named(tables: ReadTables, parent: str, stem: str) -> Sequence[DocumentRow]:
    """The documents that an acknowledgement of this stem may mean, oldest release first."""
    return tables.select(DOCUMENTS, equal(parent=parent, stem=stem), order=("position", "document"))


def refusals(tables: ReadTables, parent: str) -> Sequence[AnswerRow]:
    """Answers that refuse a document which was not handed over again since, oldest release first."""
    waiting = {(row.position, row.document) for row in unanswered(tables, parent)}
    rows = tables.select(ANSWERS, equal(parent=parent, accepted=0), order=("position", "document"))
    return [row for row in rows if (row.position, row.document) not in waiting]


def last_passed(tables: ReadTables, parent: str) -> PassedRow | None:
    """What was handed over last."""
    rows = tables.select(PASSED, equal(parent=parent), order=("-recorded",), limit=1)
    return rows[0] if rows else None


def last_answer(tables: ReadTables, parent: str) -> AnswerRow | None:
    """What was answered last."""
    rows = tables.select(ANSWERS, equal(parent=parent), order=("-recorded",), limit=1)
    return rows[0] if rows else None


def finished(tables: ReadTables, parent: str) -> frozenset[int]:
    """The positions of the releases that the parent was handed, or that were given up for good."""
    passed = {row.position for row in tables.select(PASSED, equal(parent=parent))}
    return frozenset(passed | {row.position for row in given_up(tables, parent)})


def given_up(tables: ReadTables, parent: str) -> Sequence[FailureRow]:
    """The final failures of releases that were not handed over since, one for each, oldest first."""
    rows = tables.select(FAILURES, equal(parent=parent, final=1), order=("recorded",))
    newest = {row.position: row for row in rows}
    return [row for row in newest.values() if not _passed_since(tables, row)]


def _passed_since(tables: ReadTables, failure: FailureRow) -> bool:
    row = passed_up(tables, failure.parent, failure.position)
    return row is not None and row.recorded > failure.recorded


def failing_since(tables: ReadTables, parent: str) -> FailureRow | None:
    """The first failure to hand something over since the last time that it worked; None while it works."""
    last = last_passed(tables, parent)
    where = (*equal(parent=parent), Condition("recorded", ">", last.recorded if last else 0))
    for row in tables.select(FAILURES, where, order=("recorded",)):
        if not row.reason.startswith((Reason.UNACKNOWLEDGED.value, Reason.NO_DOCUMENT.value)):
            return row
    return None


def reported_silent(tables: ReadTables, parent: str, position: int) -> bool:
    """Whether the parent's silence about a release was recorded since it was handed over last."""
    row = passed_up(tables, parent, position)
    where = (*equal(parent=parent, position=position), Condition("recorded", ">", row.recorded if row else 0))
    return any(found.reason.startswith(Reason.UNACKNOWLEDGED.value) for found in tables.select(FAILURES, where))


def documents_at(tables: ReadTables, parent: str, *, limit: int | None = None) -> list[DocumentAtParent]:
    """Every document that was handed over or given up, newest release first; `limit` counts releases."""
    found: dict[int, list[DocumentAtParent]] = {}
    for failure in given_up(tables, parent):
        found[failure.position] = [
            DocumentAtParent(
                failure.position, "", DocumentState.FAILED, None, moment_of(failure.at), "", failure.reason
            )
        ]
    for row in tables.select(PASSED, equal(parent=parent), order=("-position",), limit=limit):
        if row.position not in found:
            found[row.position] = [_document(tables, row, name) for name in documents_in(row)]
    newest = sorted(found, reverse=True)[:limit]
    return [document for position in newest for document in found[position]]


def _document(tables: ReadTables, row: PassedRow, name: str) -> DocumentAtParent:
    answer = answer_to(tables, row.parent, row.position, name)
    at = moment_of(row.at)
    if answer is None:
        return DocumentAtParent(row.position, name, DocumentState.WAITING, at, None, "", row.note)
    state = DocumentState.ACCEPTED if answer.accepted else DocumentState.REFUSED
    return DocumentAtParent(row.position, name, state, at, moment_of(answer.at), answer.error_code, answer.note)
