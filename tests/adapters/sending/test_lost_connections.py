"""The database is lost while people are told: the worker goes on by itself, nobody is missed, nobody is told twice."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from adapters.channels.port import Accepted, DeliveryReceipt
from adapters.sending.letters import Handed, Lease, PutBack, Result
from adapters.sending.outbox import Outbox
from adapters.sending.tables import MESSAGES
from adapters.store.kept_tables import reading
from domain.messages import Mode
from tests import postgres
from tests.adapters.sending.house import Desk, Town, at, town_in, until
from tests.adapters.sending.killed import RunningClock
from tests.adapters.sending.test_outbox import SMS, accept, filled, lease, reasons
from tests.postgres_line import Cut, Line, line_to
from tests.streams.messages import cap

pytestmark = pytest.mark.postgres

NAME = "outlet-worker-under-test"


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.schema() as found:
        yield found


@pytest.fixture
def line(town: Town, url: str) -> Iterator[Line]:
    with line_to(url) as found:
        yield found


@pytest.fixture(params=list(Cut))
def cut(request: pytest.FixtureRequest) -> Cut:
    found: Cut = request.param
    return found


def broken_off(line: Line, cut: Cut, do: Callable[[], object]) -> None:
    """Do something whose commit is not answered."""
    line.cut, before = cut, line.cuts
    with pytest.raises(DBAPIError):
        do()
    assert line.cuts == before + 1


def states(outbox: Outbox) -> dict[str, int]:
    with reading(outbox._engine) as connection:
        rows = connection.execute(select(MESSAGES.c.state, func.count().label("messages")).group_by(MESSAGES.c.state))
        return {row.state: row.messages for row in rows}


def test_a_lease_that_was_stored_without_an_answer_is_nobodys_and_is_made_again(
    town: Town, line: Line, cut: Cut
) -> None:
    numbers = town.people(30)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox(line.url) as outbox:
        filled(town, outbox)
        broken_off(line, cut, lambda: lease(town, outbox, most=20))
        assert states(outbox) == ({"waiting": 30} if cut is Cut.BEFORE else {"waiting": 10, "leased": 20})
        found = lease(town, outbox)
        assert sorted(one.number for one in found) == numbers
        assert not any(one.repeated for one in found)


def test_a_lease_of_another_worker_is_never_taken_back(town: Town, line: Line) -> None:
    town.people(20)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox(line.url) as outbox, town.outbox() as other:
        filled(town, outbox)
        filled(town, other)
        broken_off(line, Cut.BEFORE, lambda: lease(town, outbox, most=5))
        others = lease(town, other, most=5)
        found = lease(town, outbox)
        assert len({one.number for one in found + others}) == len(found) + len(others) == 20


def test_a_lease_without_an_answer_of_a_worker_that_dies_comes_back_marked(town: Town, line: Line) -> None:
    numbers = town.people(3)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox(line.url) as dead:
        filled(town, dead)
        dead.beat(town.clock.now(), 5)
        broken_off(line, Cut.AFTER, lambda: lease(town, dead))
    with town.outbox() as outbox:
        filled(town, outbox)
        town.platform.advance(at(1))
        assert outbox.beat(town.clock.now(), 5) == 3
        assert [(one.number, one.repeated) for one in lease(town, outbox)] == [(number, True) for number in numbers]


def test_what_became_of_letters_is_stored_once_whether_or_not_the_first_time_was_answered(
    town: Town, line: Line, cut: Cut
) -> None:
    accepted, refused = town.people(2)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox(line.url) as outbox:
        filled(town, outbox)
        first, second = lease(town, outbox)
        now = town.clock.now()
        results: list[tuple[Lease, Result]] = [
            (first, Handed("desk", "ref-1", now)),
            (second, PutBack(now, is_attempt=True)),
        ]
        broken_off(line, cut, lambda: outbox.settle(results))
        outbox.settle(results)
        receipts = [DeliveryReceipt("ref-1", "delivered", now)]
        broken_off(line, cut, lambda: outbox.received("desk", receipts, now))
        outbox.received("desk", receipts, now)
        [again] = lease(town, outbox)
        assert (again.number, again.attempts, again.repeated) == (refused, 1, False)
        broken_off(line, cut, lambda: outbox.report(now))
        assert set(reasons(town, outbox)) == {(accepted, "accepted"), (accepted, "delivered")}
        assert len(town.outcomes()) == 2


def test_a_plan_is_entered_and_filled_in_once_whether_or_not_the_first_time_was_answered(
    town: Town, line: Line, cut: Cut
) -> None:
    numbers = town.people(10)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox(line.url) as outbox:
        outbox.beat(town.clock.now(), 1e9)
        broken_off(line, cut, outbox.follow)
        outbox.follow()
        broken_off(line, cut, lambda: outbox.fill(town.audience))
        while outbox.fill(town.audience):
            pass
        assert sorted(one.number for one in lease(town, outbox)) == numbers


def test_an_erasure_without_an_answer_can_be_repeated(url: str, tmp_path: Path) -> None:
    with line_to(url) as line, town_in(tmp_path / "data", url=line.url) as town:
        [number] = town.people(1)
        broken_off(line, Cut.AFTER, lambda: town.vault.erase([number], town.clock.now()))
        assert town.vault.erase([number], town.clock.now()) == []
        assert town.vault.person(number) is None


def test_a_worker_whose_connections_are_killed_again_and_again_tells_everybody_once(url: str, tmp_path: Path) -> None:
    named = make_conninfo(url, application_name=NAME)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
    clock = RunningClock(time.time())  # what could not be looked up now is due again a second later
    with town_in(tmp_path / "data", clock, named) as town, psycopg.connect(url, autocommit=True) as other:
        numbers = town.people(150)
        town.deliver(cap("r1", level="red"))
        desk = Desk(window=5, seconds=0.005)
        with town.worker(desk):
            for share in range(1, 6):
                until(lambda share=share: len(desk.given) >= 20 * share)  # type: ignore[misc]
                other.execute(kill, (NAME,))
            until(lambda: len(town.outcomes()) == 150)
    assert sorted(letter.number for letter in desk.given) == numbers
    assert not any(letter.repeated for letter in desk.given)


def test_a_worker_survives_a_database_that_is_away_for_a_while_and_goes_on(url: str, tmp_path: Path) -> None:
    with line_to(url) as line, town_in(tmp_path / "data", RunningClock(time.time()), line.url) as town:
        numbers = town.people(60)
        town.deliver(cap("r1", level="red"))
        desk = Desk(window=5, seconds=0.01, answer=lambda letter: Accepted(f"ref-{letter.id}"))
        with town.worker(desk):
            until(lambda: len(desk.given) >= 10)
            line.cut, line.cut_and_stay_down = Cut.AFTER, True
            until(lambda: line.down)
            until(lambda: desk.under_way == 0)
            threading.Event().wait(1.5)  # longer than others take it for living
            assert len(desk.given) < 60
            line.down = line.cut_and_stay_down = False
            until(lambda: {letter.number for letter in desk.given} == set(numbers))
            until(lambda: sum(one.state == "accepted" for one in town.outcomes()) == 60)
    told_twice = [letter.number for letter in desk.given if letter.repeated]
    assert len(desk.given) == 60 + len(told_twice)


def test_two_outboxes_that_write_at_once_lease_each_message_once(town: Town) -> None:
    numbers = town.people(200)
    town.deliver(cap("r1", level="red"), minutes=0)
    found: list[int] = []
    with town.outbox() as one, town.outbox() as other:
        for outbox in (one, other):
            outbox.beat(town.clock.now(), 1e9)
        filled(town, one)
        filled(town, other)

        def empty(outbox: Outbox) -> None:
            while some := outbox.lease(Mode.LIVE, SMS, 7, town.clock.now()):
                found.extend(each.number for each in some)
                accept(town, outbox, some)

        threads = [threading.Thread(target=empty, args=(outbox,)) for outbox in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == numbers
