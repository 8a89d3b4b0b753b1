"""The promises of `projections.base.ReadTables`, held against every adapter."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.store.postgres_read_tables import open_postgres_read_tables
from adapters.store.read_changes import pending_of
from adapters.store.read_errors import ReadTablesUnavailableError
from adapters.store.read_tables import open_sqlite_read_tables
from projections.base import Condition, Delete, Insert, Projection, ReadTables, RowChange, Step, Table, Upsert, equal
from tests import postgres
from tests.contracts.event_logs import in_threads


class ThingRow(NamedTuple):
    place: str
    number: int
    words: str | None
    content: bytes


class NumberedRow(NamedTuple):
    position: int
    name: str | None


THINGS = Table("things", ThingRow, key=("place", "number"), indexes=(("words", "number"), ("number",)))
NUMBERED = Table("numbered", NumberedRow, key=("position",), indexes=(("name", "position"),))
PROJECTION = Projection(name="things", version=1, tables=(THINGS, NUMBERED), handlers={})
OTHER = Projection(name="other", version=1, tables=(), handlers={})


def thing(place: str, number: int, words: str | None = None, content: bytes = b"{}") -> ThingRow:
    return ThingRow(place, number, words, content)


@contextmanager
def in_a_file(folder: Path) -> Iterator[Callable[[], ReadTables]]:
    yield lambda: open_sqlite_read_tables(folder / "read.sqlite")


@contextmanager
def in_a_server(_folder: Path) -> Iterator[Callable[[], ReadTables]]:
    with postgres.schema() as url:
        yield lambda: open_postgres_read_tables(url)


@pytest.fixture(
    params=[pytest.param(in_a_server, id="postgres", marks=pytest.mark.postgres), pytest.param(in_a_file, id="sqlite")]
)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], ReadTables]]:
    """Opens the same tables, again and again; the first time they are empty."""
    found: list[ReadTables] = []
    with request.param(tmp_path) as opener:

        def open_again() -> ReadTables:
            found.append(opener())
            return found[-1]

        yield open_again
        for tables in found:
            tables.close()


@pytest.fixture
def tables(opened: Callable[[], ReadTables]) -> ReadTables:
    found = opened()
    found.prepare([PROJECTION])
    return found


def test_a_projection_begins_at_position_zero_with_no_rows(tables: ReadTables) -> None:
    assert tables.position("things") == 0
    assert tables.select(THINGS) == []


def test_what_was_applied_is_selected_as_it_was_written(tables: ReadTables) -> None:
    rows = [thing("a", 2**53, "字\x00'", b"\x00\xff"), thing("b", -1, None)]
    assert tables.apply("things", [Insert(THINGS, row) for row in rows], 7)
    assert tables.select(THINGS, order=("place",)) == rows
    assert isinstance(tables.select(THINGS)[0], ThingRow)
    assert tables.position("things") == 7


def test_a_position_that_is_not_above_the_last_changes_nothing(tables: ReadTables) -> None:
    assert tables.apply("things", [Insert(THINGS, thing("a", 1))], 5)
    assert not tables.apply("things", [Insert(THINGS, thing("a", 1))], 5)
    assert not tables.apply("things", [Insert(THINGS, thing("b", 1))], 4)
    assert tables.select(THINGS) == [thing("a", 1)]
    assert tables.position("things") == 5


def test_a_batch_that_follows_another_position_than_the_last_changes_nothing(tables: ReadTables) -> None:
    """Another process has been faster, or has begun anew: both are seen within the write."""
    assert tables.apply("things", [Insert(THINGS, thing("a", 1))], 5, after=0)
    assert not tables.apply("things", [Insert(THINGS, thing("b", 1))], 9, after=4)
    assert not tables.apply("things", [Insert(THINGS, thing("b", 1))], 9, after=6)
    assert not tables.apply("things", [Insert(THINGS, thing("b", 1))], 5, after=5)
    assert (tables.select(THINGS), tables.position("things")) == ([thing("a", 1)], 5)
    assert tables.apply("things", [Insert(THINGS, thing("b", 1))], 9, after=5)
    tables.reset(PROJECTION)
    assert not tables.apply("things", [Insert(THINGS, thing("c", 1))], 12, after=9)
    assert (tables.select(THINGS), tables.position("things")) == ([], 0)


def test_several_projections_move_together_or_not_at_all(tables: ReadTables) -> None:
    tables.prepare([PROJECTION, OTHER])
    things, other = Step("things", [Insert(THINGS, thing("a", 1))], after=0), Step("other", [], after=0)
    assert tables.apply_all([other, things], 5)
    assert tables.positions([PROJECTION, OTHER]) == {"things": 5, "other": 5}
    tables.apply("other", [], 6)
    more = [Insert(THINGS, thing("b", 1))]
    assert not tables.apply_all([Step("things", more, after=5), Step("other", [], after=5)], 7)
    with pytest.raises(LookupError):
        tables.apply_all([Step("things", more, after=5), Step("unknown", [], after=0)], 7)
    assert tables.select(THINGS) == [thing("a", 1)]
    assert tables.positions([PROJECTION, OTHER]) == {"things": 5, "other": 6}


def test_nothing_is_written_for_a_version_that_another_process_has_replaced(opened: Callable[[], ReadTables]) -> None:
    older, newer = opened(), opened()
    older.prepare([PROJECTION])
    newer.prepare([Projection(name="things", version=2, tables=(THINGS,), handlers={})])
    assert not older.apply("things", [Insert(THINGS, thing("a", 1))], 1, after=0)
    assert newer.apply("things", [Insert(THINGS, thing("a", 2))], 1, after=0)
    assert newer.select(THINGS) == [thing("a", 2)]


def test_of_many_that_prepare_and_write_together_none_fails_and_one_wins(opened: Callable[[], ReadTables]) -> None:
    def follow(tables: ReadTables) -> int:
        tables.prepare([PROJECTION, OTHER])
        won = 0
        for position in range(1, 6):
            rows = [Insert(THINGS, thing("a", position)), Insert(NUMBERED, NumberedRow(position, "x"))]
            steps = [Step("things", rows, after=position - 1), Step("other", [], after=position - 1)]
            won += tables.apply_all(steps[:: 1 if position % 2 else -1], position)
            tables.prepare([OTHER, PROJECTION])
        return won

    several = [opened() for _ in range(4)]
    assert sum(cast(int, won) for won in in_threads(*(partial(follow, tables) for tables in several))) == 5
    assert [row.number for row in several[0].select(THINGS, order=("number",))] == [1, 2, 3, 4, 5]
    assert several[0].positions([PROJECTION, OTHER]) == {"things": 5, "other": 5}


def test_a_batch_that_fails_leaves_neither_rows_nor_position(tables: ReadTables) -> None:
    tables.apply("things", [Insert(THINGS, thing("a", 1))], 1)
    with pytest.raises(ReadTablesUnavailableError):
        tables.apply("things", [Insert(THINGS, thing("b", 1)), Insert(THINGS, thing("a", 1))], 2)
    assert tables.select(THINGS) == [thing("a", 1)]
    assert tables.position("things") == 1


def test_a_projection_that_was_not_prepared_is_refused(tables: ReadTables) -> None:
    with pytest.raises(LookupError):
        tables.apply("unknown", [], 1)


def test_an_upsert_takes_the_place_of_the_row_with_its_key(tables: ReadTables) -> None:
    tables.apply("things", [Upsert(THINGS, thing("a", 1, "old")), Upsert(THINGS, thing("a", 2, "other"))], 1)
    tables.apply("things", [Upsert(THINGS, thing("a", 1, "new"))], 2)
    assert tables.select(THINGS, order=("number",)) == [thing("a", 1, "new"), thing("a", 2, "other")]


def test_a_delete_takes_every_row_with_its_values_and_no_other(tables: ReadTables) -> None:
    tables.apply("things", [Insert(THINGS, thing(place, number)) for place in "ab" for number in (1, 2)], 1)
    tables.apply("things", [Delete(THINGS, ("place",), ("a",))], 2)
    assert tables.select(THINGS, order=("number",)) == [thing("b", 1), thing("b", 2)]


def test_rows_can_be_removed_at_no_position(tables: ReadTables) -> None:
    tables.apply("things", [Insert(THINGS, thing("a", number)) for number in (1, 2)], 3)
    tables.remove([Delete(THINGS, ("place", "number"), ("a", 1))])
    tables.remove([])
    assert tables.select(THINGS) == [thing("a", 2)]
    assert tables.position("things") == 3


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (Condition("number", "<", 2), [1]),
        (Condition("number", "<=", 2), [1, 2]),
        (Condition("number", ">", 2), [3]),
        (Condition("number", ">=", 2), [2, 3]),
        (Condition("number", "=", 2), [2]),
        (Condition("place", "begins", "ab"), [1, 2]),
        (Condition("place", "begins", "%"), []),
        (Condition("words", "=", "x"), [3]),
        (Condition("words", ">", ""), [3]),
    ],
)
def test_conditions_select_the_rows_they_describe(tables: ReadTables, condition: Condition, found: list[int]) -> None:
    rows = [thing("ab", 1), thing("abc", 2), thing("b", 3, "x")]
    tables.apply("things", [Insert(THINGS, row) for row in rows], 1)
    assert [row.number for row in tables.select(THINGS, [condition], order=("number",))] == found


def test_rows_come_in_the_order_and_number_asked_for(tables: ReadTables) -> None:
    tables.apply("things", [Insert(THINGS, thing(place, number)) for place in "ab" for number in (1, 2)], 1)
    rows = tables.select(THINGS, order=("-number", "place"), limit=3)
    assert [(row.number, row.place) for row in rows] == [(2, "a"), (2, "b"), (1, "a")]
    assert tables.select(THINGS, equal(place="b", number=2)) == [thing("b", 2)]


def test_texts_and_what_is_missing_have_one_order_everywhere(tables: ReadTables) -> None:
    words = ["b", "a", "B", "预警", "é", None, "\x00", "\x01", "\x02", "a\x00b", "a\x01", "ab", "🌀", "\ue000", ""]
    tables.apply("things", [Insert(THINGS, thing("x", number, text)) for number, text in enumerate(words)], 1)
    expected = [None, *sorted(text for text in words if text is not None)]
    assert [row.words for row in tables.select(THINGS, order=("words",))] == expected
    assert [row.words for row in tables.select(THINGS, order=("-words",))] == expected[::-1]
    begun = tables.select(THINGS, [Condition("words", "begins", "a")], order=("words",))
    assert [row.words for row in begun] == ["a", "a\x00b", "a\x01", "ab"]


def test_rows_and_positions_outlive_the_process(opened: Callable[[], ReadTables]) -> None:
    first = opened()
    first.prepare([PROJECTION])
    first.apply("things", [Insert(NUMBERED, NumberedRow(1, None))], 9)
    first.close()
    second = opened()
    second.prepare([PROJECTION])
    assert second.position("things") == 9
    assert second.select(NUMBERED) == [NumberedRow(1, None)]


def test_a_projection_of_another_version_begins_anew_and_leaves_others_alone(opened: Callable[[], ReadTables]) -> None:
    tables = opened()
    tables.prepare([PROJECTION, OTHER])
    tables.apply("things", [Insert(THINGS, thing("a", 1)), Insert(NUMBERED, NumberedRow(1, "x"))], 9)
    tables.apply("other", [], 8)
    newer = Projection(name="things", version=2, tables=(THINGS,), handlers={})
    again = opened()
    again.prepare([newer, OTHER])
    assert again.position("things") == 0
    assert again.select(THINGS) == []
    assert again.position("other") == 8
    with pytest.raises(ReadTablesUnavailableError):  # a table that the newer version does not describe is gone
        again.select(NUMBERED)


def test_a_reset_projection_is_empty_and_begins_at_zero(tables: ReadTables) -> None:
    tables.apply("things", [Insert(THINGS, thing("a", 1))], 4)
    tables.reset(PROJECTION)
    assert tables.position("things") == 0
    assert tables.select(THINGS) == []
    assert tables.apply("things", [Insert(THINGS, thing("a", 1))], 1)


def test_tables_filled_from_nothing_are_the_same_as_others(tables: ReadTables) -> None:
    changes: list[list[RowChange]] = [
        [Insert(THINGS, thing("a", 1, "x")), Insert(THINGS, thing("a", 2, "y"))],
        [Delete(THINGS, ("words",), ("x",)), Upsert(THINGS, thing("a", 2, "z")), Insert(NUMBERED, NumberedRow(1, "n"))],
    ]
    with tables.filling([PROJECTION]):
        for position, made in enumerate(changes, 1):
            assert tables.apply("things", made, position, after=position - 1)
    assert tables.select(THINGS, equal(words="z")) == tables.select(THINGS) == [thing("a", 2, "z")]
    assert tables.select(NUMBERED, equal(name="n")) == [NumberedRow(1, "n")]
    with pytest.raises(ReadTablesUnavailableError), tables.filling([PROJECTION]):  # one that has begun
        tables.apply("things", [Insert(THINGS, thing("a", 2))], 3)
    assert tables.position("things") == 2


def test_readers_see_whole_batches_only(opened: Callable[[], ReadTables]) -> None:
    writer, reader = opened(), opened()
    writer.prepare([PROJECTION])

    def changes() -> Iterator[RowChange]:
        yield Insert(THINGS, thing("a", 1))
        assert reader.select(THINGS) == []
        yield Insert(THINGS, thing("a", 2))

    writer.apply("things", changes(), 1)
    assert len(reader.select(THINGS)) == 2


ROWS = st.builds(thing, st.sampled_from("ab"), st.integers(0, 2), st.sampled_from([None, "x", "y"]))
CHANGES = st.lists(
    st.one_of(
        ROWS.map(lambda row: Upsert(THINGS, row)),
        st.builds(lambda place: Delete(THINGS, ("place",), (place,)), st.sampled_from("ab")),
        st.builds(lambda words: Delete(THINGS, ("words",), (words,)), st.sampled_from("xy")),
        st.builds(
            lambda *values: Delete(THINGS, ("place", "number"), values), st.sampled_from("ab"), st.integers(0, 2)
        ),
    ),
    max_size=20,
)


def one_by_one(rows: dict[Any, Any], changes: list[RowChange]) -> dict[Any, Any]:
    for change in changes:
        if isinstance(change, Delete):
            places = [THINGS.columns.index(column) for column in change.columns]
            rows = {k: row for k, row in rows.items() if tuple(row[place] for place in places) != change.values}
        else:
            rows = {**rows, change.row[:2]: change.row}
    return rows


@given(before=CHANGES, changes=CHANGES)
def test_a_batch_comes_to_the_same_rows_as_its_changes_one_by_one(
    before: list[RowChange], changes: list[RowChange]
) -> None:
    standing = one_by_one({}, before)
    pending = pending_of(changes)
    come_to = standing
    for one in pending.values():
        deletes: list[RowChange] = [Delete(THINGS, by, values) for by, all_ in one.deletes.items() for values in all_]
        come_to = one_by_one(come_to, deletes)
        assert not [row for row in one.inserts if row[:2] in come_to]
        come_to = one_by_one(come_to, [Upsert(THINGS, row) for row in [*one.inserts, *one.upserts.values()]])
    assert come_to == one_by_one(standing, changes)


def test_a_row_inserted_and_deleted_in_one_batch_is_never_written() -> None:
    changes: list[RowChange] = [Insert(THINGS, thing("a", 1)), Delete(THINGS, ("place",), ("a",))]
    again: list[RowChange] = [*changes, Insert(THINGS, thing("a", 1, "again"))]
    assert not pending_of(changes)["things"].inserts
    assert not pending_of(changes)["things"].upserts
    assert list(pending_of(again)["things"].upserts.values()) == [thing("a", 1, "again")]
