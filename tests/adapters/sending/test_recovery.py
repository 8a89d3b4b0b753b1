"""An outbox that was deleted or restored: what the log knows as accepted does not go out again, nobody is missed."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from adapters.channels.port import Accepted, Refused
from adapters.channels.spool import Spool
from adapters.sending.lane import Route
from adapters.sending.marks import POSITION, set_mark
from adapters.sending.tables import FILE_NAME, METADATA, outbox_engine_of
from domain.recipients import ChannelKind
from tests.adapters.sending.house import Desk, Town, at, until
from tests.adapters.sending.test_notices import planned
from tests.adapters.sending.test_outbox import SMS, accept, filled, lease, reasons
from tests.streams.messages import cap


def without_outbox(town: Town) -> None:
    if town.settings.database_url is None:
        for path in town.folder.glob(f"{FILE_NAME}*"):
            path.unlink()
        return
    engine = outbox_engine_of(town.settings)
    METADATA.drop_all(engine)
    engine.dispose()


def counted(town: Town, state: str) -> int:
    return sum(one.state == state for one in town.outcomes())


def test_a_deleted_outbox_writes_no_file_of_the_spool_again_and_goes_on_with_what_is_new(town: Town) -> None:
    town.people(40)
    town.deliver(cap("r1", level="red"), minutes=0)
    folder = town.folder / "spool"

    def spool() -> Route:
        return Route(Spool(folder, ChannelKind.SMS, sender="outlet@shaoxing.example"))

    with town.worker(spool()):
        until(lambda: counted(town, "accepted") == 40)
    before = {path.name for path in folder.iterdir()}
    shutil.rmtree(folder)
    without_outbox(town)
    with town.worker(spool()):
        town.deliver(cap("r2", kind="Cancel", minutes=1, references=(("r1", 0),)), minutes=1)
        until(lambda: counted(town, "accepted") == 80)
    after = {path.name for path in folder.iterdir()}
    assert len(before) == len(after) == 40
    assert not before & after
    assert all("解除" in path.read_text() for path in folder.iterdir())
    assert counted(town, "repeated") == 0


def test_what_the_log_does_not_speak_of_goes_out_marked_as_repeated(town: Town) -> None:
    numbers = town.people(4)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        found = lease(town, outbox)
        accept(town, outbox, found[:1])
        reasons(town, outbox)
        accept(town, outbox, found[1:2])  # handed over, and lost before the log heard of it
    without_outbox(town)
    with town.outbox() as outbox:
        filled(town, outbox)
        again = lease(town, outbox)
    assert [one.number for one in again] == numbers[1:]
    assert all(one.repeated for one in again)


def test_what_was_planned_after_the_last_outbox_saw_it_is_no_repetition(town: Town) -> None:
    town.people(2)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        accept(town, outbox, lease(town, outbox))
        reasons(town, outbox)
    without_outbox(town)
    town.deliver(cap("w1", agency="water", hazard="11A51", level="red", minutes=1), minutes=1)
    with town.outbox() as outbox:
        filled(town, outbox)
        found = lease(town, outbox)
    assert len(found) == 2
    assert not any(one.repeated for one in found)


def test_a_first_outbox_marks_nothing_however_late_it_comes(town: Town) -> None:
    town.people(2)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        assert not any(one.repeated for one in lease(town, outbox))


def test_an_outbox_restored_from_a_backup_repeats_nothing_and_reports_nothing_twice(file_town: Town) -> None:
    town = file_town
    town.people(6)
    town.deliver(cap("r1", level="red"), minutes=0)
    backup = town.folder.parent / "backup.sqlite"
    with town.outbox() as outbox:
        filled(town, outbox)
        accept(town, outbox, lease(town, outbox, most=2))  # in the backup, and not reported yet
        with closing(sqlite3.connect(town.folder / FILE_NAME)) as connection:
            connection.execute("VACUUM INTO ?", (str(backup),))
        town.deliver(cap("w1", agency="water", hazard="11A51", level="red", minutes=1), minutes=1)
        filled(town, outbox)
        accept(town, outbox, lease(town, outbox))
        reasons(town, outbox)
    reported = len(town.outcomes())
    without_outbox(town)
    backup.rename(town.folder / FILE_NAME)
    with town.outbox() as outbox:
        filled(town, outbox)
        assert lease(town, outbox) == []
        reasons(town, outbox)
    assert len(town.outcomes()) == reported


def test_after_a_loss_the_all_clear_goes_to_who_was_told_and_to_nobody_else(town: Town) -> None:
    told, untold = town.people(2)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.worker(Desk(answer=lambda letter: Accepted() if letter.number == told else Refused("unknown"))):
        until(lambda: len(town.outcomes()) == 2)
    without_outbox(town)
    town.deliver(cap("r2", kind="Cancel", minutes=1, references=(("r1", 0),)), minutes=1)
    with town.outbox() as outbox:
        filled(town, outbox)
        [lifted] = lease(town, outbox)
        assert lifted.number == told
        assert "解除" in lifted.text.subject
        assert not lifted.repeated
        assert reasons(town, outbox)[untold, "withdrawn"] == "never-told"


def test_notices_that_were_handed_over_are_not_repeated_either(town: Town) -> None:
    one, other = town.people(2)
    planned(town, [one])
    with town.outbox() as outbox:
        filled(town, outbox)
        accept(town, outbox, lease(town, outbox))
        reasons(town, outbox)
    planned(town, [other])
    without_outbox(town)
    with town.outbox() as outbox:
        filled(town, outbox)
        [found] = lease(town, outbox, SMS)
    assert (found.number, found.repeated) == (other, False)


def test_a_recovery_that_was_broken_off_goes_on(town: Town) -> None:
    numbers = town.people(3)
    town.deliver(cap("r1", level="red"), minutes=0)
    with town.outbox() as outbox:
        filled(town, outbox)
        accept(town, outbox, lease(town, outbox, most=2))
        reasons(town, outbox)
    without_outbox(town)
    with town.outbox() as outbox:
        outbox.follow()
        outbox.fill(town.audience)
        assert lease(town, outbox) == []
        assert outbox.standing.is_recovering
    town.platform.advance(at(1))
    with town.outbox() as outbox:
        filled(town, outbox)
        assert [(one.number, one.repeated) for one in lease(town, outbox)] == [(numbers[2], True)]


def test_an_outbox_that_is_ahead_of_its_log_says_so(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    with town.outbox() as outbox:
        outbox.follow()
        with outbox._engine.begin() as connection:
            set_mark(connection, POSITION, "999")
    with town.outbox() as outbox:
        assert not outbox.follow()
    assert "followed the log to 999" in caplog.text
