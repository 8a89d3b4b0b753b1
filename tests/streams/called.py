"""A platform with people on its rosters who are called up, and what is asked of it. Nothing here asserts anything."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.callup_events import CALL_UP_EVENTS, CallUpAnswer, CallUpStep, CallUpStepTaken, How
from domain.event import Event
from domain.messages import Mode
from domain.notices import Notice, NoticesPlanned, NoticesWithdrawn
from domain.recipients import ChannelKind, Recipient
from streams.callup import answer, confirm
from streams.intake import Delivery
from tests.adapters.audience.logs import AudienceLog
from tests.streams.messages import START, at, cap

DISTRICT = "330604"
TOWN, OTHER_TOWN = "330604101", "330604102"
DUTY = "乡镇值班员"
SMS, VOICE, EMAIL, SCREEN = ChannelKind.SMS, ChannelKind.VOICE, ChannelKind.EMAIL, ChannelKind.SCREEN

E = TypeVar("E", bound=Event)


def person(number: int, post: str = "", turn: int = 1, *areas: str, **words: Any) -> Recipient:
    """Somebody of the duty roster; in the whole district unless areas are given."""
    fields = {"roster": "duty", "role": DUTY, "channels": (SMS,), "areas": areas or (DISTRICT,), **words}
    return Recipient(number=number, post=post, turn=turn, **fields)


class Bureau:
    """The platform, and what a test does with it."""

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.rosters = AudienceLog(folder, platform.log)

    def roster(self, *people: Recipient, name: str = "duty", mode: Mode = Mode.LIVE) -> None:
        self.rosters.roster(name, people, mode=mode)
        self.platform.runner.pump()

    def deliver(self, identifier: str, minutes: float, **words: Any) -> None:
        """One message at its minute, taken through all stages."""
        self.wait_until(minutes)
        words = {"agency": "water", "hazard": "11A51", "level": "red", "codes": (DISTRICT,), **words}
        content = cap(identifier, minutes=minutes, **words)
        self.platform.runner.submit([Delivery(content=content, agency=None, source="test")])
        self.platform.runner.pump()

    def wait_until(self, minutes: float) -> None:
        self.platform.advance(at(minutes))
        self.platform.runner.pump()

    @property
    def warning_id(self) -> str:
        """The warning that was called up last."""
        return str(self.events(*CALL_UP_EVENTS)[-1].warning_id)

    def confirm(self, number: int, how: How = "sms", *, mode: Mode = Mode.LIVE, by: str = "") -> tuple[str, ...]:
        warning = self.warning_id
        posts = self.platform.runner.act(lambda house, now: confirm(house, mode, warning, number, how, now, by=by))
        self.platform.runner.pump()
        return posts

    def answer(self, number: int, *, is_report: bool = False, **answers: str) -> None:
        warning = self.warning_id
        said = [CallUpAnswer(question=question, text=text) for question, text in answers.items()]
        self.platform.runner.act(
            lambda house, now: answer(house, Mode.LIVE, warning, number, said, now, is_report=is_report)
        )
        self.platform.runner.pump()

    def events(self, *kinds: type[E]) -> list[Any]:
        return [one.event for one in self.platform.log.read() if isinstance(one.event, kinds)]

    def topics(self) -> list[str]:
        return [event.TOPIC for event in self.events(*CALL_UP_EVENTS)]

    def steps(self) -> list[tuple[float, CallUpStep, str, int]]:
        """(minute, step, post, number) of every step, in the order of the log."""
        return [
            (_minute(event.at), event.step, event.post.removeprefix("duty/"), event.number)
            for event in self.events(CallUpStepTaken)
        ]

    def notices(self) -> list[tuple[float, Notice]]:
        return [(_minute(event.at), notice) for event in self.events(NoticesPlanned) for notice in event.notices]

    def withdrawn(self) -> list[tuple[float, str, tuple[int, ...]]]:
        return [(_minute(event.at), event.reason, event.numbers) for event in self.events(NoticesWithdrawn)]


def _minute(moment: datetime) -> float:
    return (moment - START).total_seconds() / 60


@contextmanager
def bureau_in(folder: Path, people: Sequence[Recipient] = (), *, policy: str = "shaoxing") -> Iterator[Bureau]:
    """A platform at the start of the tests' time, with these people on its duty roster."""
    with build(Settings(data_dir=folder / "data", policy=policy), clock=ManualClock(START)) as platform:
        bureau = Bureau(platform, folder)
        if people:
            bureau.roster(*people)
        yield bureau
