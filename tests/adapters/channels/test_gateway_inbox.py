"""What was answered 200 is there after a crash, and nothing that was worked off comes again."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from adapters.channels.gateway_inbox import InboxFullError, ReportInbox
from adapters.channels.port import DeliveryReceipt, Incoming
from tests.adapters.channels.gateway_house import NOW, run, until

RECEIPT = DeliveryReceipt("gw-1", "failed", NOW, "absent")
MESSAGE = Incoming("+8613800000001", "已收到", NOW)


def inbox(folder: Path, most_waiting: int = 100) -> ReportInbox:
    return ReportInbox(folder / "gateway-city.sqlite", most_waiting=most_waiting)


def rows(folder: Path) -> int:
    with sqlite3.connect(folder / "gateway-city.sqlite") as connection:
        found = connection.execute("SELECT count(*) FROM reports").fetchone()[0]
    connection.close()
    return int(found)


def test_what_comes_in_is_handed_out_in_order_and_removed_when_the_next_is_asked_for(tmp_path: Path) -> None:
    async def play() -> None:
        box = inbox(tmp_path)
        await box.open()
        await asyncio.to_thread(box.receive, [RECEIPT, MESSAGE])
        assert rows(tmp_path) == 2
        assert await anext(box.items) == RECEIPT
        assert rows(tmp_path) == 2, "it is being worked off"
        assert await anext(box.items) == MESSAGE
        await until(lambda: rows(tmp_path) == 1)
        await box.close()
        assert [one async for one in box.items] == []
        assert rows(tmp_path) == 1

    run(play())


def test_what_was_not_worked_off_before_a_crash_comes_again_in_its_order(tmp_path: Path) -> None:
    async def crash() -> None:
        box = inbox(tmp_path)
        await box.open()
        box.receive([RECEIPT, MESSAGE])
        box.receive([RECEIPT])
        assert box._connection is not None
        box._connection.close()  # and nothing more: the process is gone

    async def again() -> None:
        box = inbox(tmp_path)
        await box.open()
        box.receive([MESSAGE])
        assert [await anext(box.items) for _ in range(4)] == [RECEIPT, MESSAGE, RECEIPT, MESSAGE]
        await box.close()

    run(crash())
    run(again())


def held_in(folder: Path) -> tuple[bytes, set[int]]:
    files = list(folder.glob("gateway-city.*"))
    return b"".join(path.read_bytes() for path in files), {path.stat().st_mode & 0o077 for path in files}


def test_a_number_does_not_stand_in_the_file_and_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    found: list[tuple[bytes, set[int]]] = []

    async def play() -> None:
        box = inbox(tmp_path)
        await box.open()
        box.receive([MESSAGE])
        found.append(held_in(tmp_path))
        await box.close()

    run(play())
    [(held, modes)] = found
    assert b"13800000001" not in held
    assert "已收到".encode() not in held
    assert modes == {0}


def test_a_full_inbox_takes_nothing_and_has_room_again_when_something_was_worked_off(tmp_path: Path) -> None:
    async def play() -> None:
        box = inbox(tmp_path, most_waiting=2)
        await box.open()
        box.receive([RECEIPT])
        with pytest.raises(InboxFullError):
            box.receive([RECEIPT, RECEIPT])
        assert rows(tmp_path) == 1, "all of a report or nothing of it"
        box.receive([MESSAGE])
        with pytest.raises(InboxFullError):
            box.receive([RECEIPT])
        await anext(box.items)
        await anext(box.items)
        await until(lambda: rows(tmp_path) == 1)
        box.receive([RECEIPT])
        await box.close()

    run(play())


def test_before_it_is_opened_and_after_it_is_closed_nothing_is_taken(tmp_path: Path) -> None:
    async def play() -> None:
        box = inbox(tmp_path)
        with pytest.raises(InboxFullError, match="not open"):
            box.receive([RECEIPT])
        await box.open()
        await box.close()
        with pytest.raises(InboxFullError, match="not open"):
            box.receive([RECEIPT])
        box.receive([])

    run(play())


def test_many_threads_at_once_lose_and_repeat_nothing(tmp_path: Path) -> None:
    async def play() -> list[str]:
        box = inbox(tmp_path, most_waiting=1_000)
        await box.open()

        def bring(own: int) -> None:
            for place in range(20):
                box.receive([DeliveryReceipt(f"{own}-{place}", "delivered", NOW)])

        threads = [threading.Thread(target=bring, args=(own,)) for own in range(5)]
        for thread in threads:
            thread.start()
        came = [await anext(box.items) for _ in range(100)]
        for thread in threads:
            thread.join()
        await box.close()
        return [one.reference for one in came if isinstance(one, DeliveryReceipt)]

    found = run(play())
    assert sorted(found) == sorted(f"{own}-{place}" for own in range(5) for place in range(20))
    for own in range(5):
        assert [one for one in found if one.startswith(f"{own}-")] == [f"{own}-{place}" for place in range(20)]


def test_a_file_that_cannot_be_used_keeps_the_route_open_for_letters_and_closed_for_reports(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "gateway-city.sqlite").write_bytes(b"this is no database" * 100)

    async def play() -> None:
        box = inbox(tmp_path)
        await box.open()
        with pytest.raises(InboxFullError):
            box.receive([RECEIPT])
        await box.close()

    run(play())
    assert "gateway-city.sqlite cannot be used" in caplog.text


def test_reports_under_another_key_are_left_where_they_are_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def leave_one() -> None:
        box = inbox(tmp_path)
        await box.open()
        box.receive([MESSAGE])
        await box.close()

    async def again() -> None:
        (tmp_path / "gateway-city.key").unlink()
        box = inbox(tmp_path)
        await box.open()
        box.receive([RECEIPT])
        assert await anext(box.items) == RECEIPT
        await box.close()

    run(leave_one())
    run(again())
    assert "was sealed with another key" in caplog.text
