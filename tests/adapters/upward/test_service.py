"""What is released goes up by itself, in order, over a parent that is away and over a restart."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.push.pace import Pace
from adapters.push.state import FILE_NAME, PushState
from adapters.upward.service import parents
from adapters.wiring import Platform
from domain.events import MessageAccepted
from domain.messages import MessageType
from projections.passing_up import documents_at
from tests.adapters.http.outlets import Outlet, outlet_at
from tests.adapters.upward.desk import LOOPBACK, a_chain, opened, parent
from tests.streams.messages import at

QUICK = Pace(tick_seconds=0.02)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that happens by itself, bounded."""
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end, "it has not happened"
        time.sleep(0.02)


def states(city: Platform) -> list[str]:
    city.project()
    return [one.state.value for one in documents_at(city.tables, "province")]


def upward(province: Outlet, folder: Path, **entry: Any) -> Any:
    folder.mkdir(exist_ok=True)
    (folder / "province.key").write_text(province.key("emergency"))
    url = f"{province.at.url}/v1/agencies/emergency/messages"
    return parent(by="http", form="cap", url=url, key_file="province.key", **entry)


def taken(province: Outlet) -> list[MessageType]:
    accepted = [one.event for one in province.platform.log.read() if isinstance(one.event, MessageAccepted)]
    return [event.message.message_type for event in accepted]


def test_every_release_goes_up_in_order_by_itself(tmp_path: Path) -> None:
    with outlet_at(tmp_path / "above") as province, opened(tmp_path / "city") as city:
        province.platform.advance(at(20))
        with parents(city, [upward(province, tmp_path / "city")], LOOPBACK, pace=QUICK):
            a_chain(city)
            until(lambda: states(city) == ["accepted"] * 3)
        assert taken(province) == [MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL]


def test_what_was_released_while_nobody_served_goes_up_after_the_restart(tmp_path: Path) -> None:
    with outlet_at(tmp_path / "above") as province, opened(tmp_path / "city") as city:
        province.platform.advance(at(20))
        definition = upward(province, tmp_path / "city")
        serving = parents(city, [definition], LOOPBACK, pace=QUICK)
        with serving, PushState(tmp_path / "city" / FILE_NAME) as state:
            until(lambda: state.of("parent-province") is not None)
        a_chain(city)
        assert states(city) == []
        with parents(city, [definition], LOOPBACK, pace=QUICK):
            until(lambda: states(city) == ["accepted"] * 3)
        assert taken(province) == [MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL]


def test_a_parent_that_is_away_gets_everything_once_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "city"
    with opened(folder) as city:
        folder.mkdir(exist_ok=True)
        blocked = folder / "up"
        blocked.write_text("a file where the folder should be")
        definition = parent(by="folder", form="cap", folder="up")
        with parents(city, [definition], LOOPBACK, pace=QUICK):
            a_chain(city)
            with PushState(folder / FILE_NAME) as state:
                until(lambda: (found := state.of("parent-province")) is not None and found.failures > 0)
                assert blocked.is_file()
                blocked.unlink()
                state.try_now("parent-province")
                until(lambda: len(list(blocked.rglob("*.xml"))) == 3)
