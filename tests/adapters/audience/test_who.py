"""Who would be told, asked before anything is sent, is who dispatch then plans to tell."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyroaring import FrozenBitMap

from adapters.audience.index import RosterAudience
from adapters.audience.who import Who, who_of_content, who_of_warning
from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.events import WarningReleased
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind
from domain.routing import Reason
from domain.telling_events import TellingPlanned
from streams.dispatch import plan_telling, telling_stream
from streams.intake import Delivery
from tests.adapters.audience.logs import AudienceLog, recipient
from tests.streams.messages import START, at, cap

DISTRICT = "330604"
PEOPLE = [
    recipient(1, DISTRICT, role="commander"),
    recipient(2, f"{DISTRICT}001", role="watcher", channels=(ChannelKind.EMAIL,)),
    recipient(3, f"{DISTRICT}001", role="watcher", level_min=Level.RED),
    recipient(4, DISTRICT, role="warden", hazards=("11B01",)),
    recipient(5, "330683", role="commander"),
    recipient(6, DISTRICT, role="commander"),
]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with build(Settings(data_dir=tmp_path / "data", policy="shaoxing"), clock=ManualClock(START)) as built:
        rosters = AudienceLog(tmp_path, built.log)
        rosters.roster("duty", PEOPLE)
        rosters.erase(6)
        built.house.audience = None  # so that nothing is planned before it has been asked about
        yield built


def audience_of(platform: Platform) -> RosterAudience:
    return RosterAudience(platform.log, platform.gazetteer, code_system=platform.policy.gazetteer.geocode_system)


def deliver(platform: Platform, content: bytes, *, minutes: float) -> None:
    platform.advance(at(minutes))
    platform.runner.submit([Delivery(content=content, agency="meteorology", source="test")])
    platform.runner.pump()
    platform.advance(at(minutes + 5))  # past the window in which changes are grouped
    platform.runner.pump()


def planned(platform: Platform) -> TellingPlanned:
    """What dispatch plans for the newest release."""
    house = platform.house
    releases = [one for one in platform.log.read() if isinstance(one.event, WarningReleased)]
    house.audience = audience_of(platform)
    plan_telling(house, releases[-1], platform.clock.now())
    house.audience = None
    found = house.ledger.newest(telling_stream(DISTRICT, Mode.LIVE))
    assert isinstance(found, TellingPlanned)
    house.ledger.commit()
    return found


def assert_equal(answer: Who[FrozenBitMap], plan: TellingPlanned) -> None:
    assert answer.by_role == plan.by_role
    assert answer.by_channel == plan.by_channel
    assert sorted(answer.withheld) == sorted((one.hazard, one.reason, one.count) for one in plan.withheld)
    sends = [(tuple((i.hazard, i.kind, i.level) for i in send.items), send.count) for send in plan.sends]
    assert [(tuple((i.hazard, i.kind, i.level) for i in items), count) for items, count in answer.sends] == sends
    assert answer.people == sum(send.count for send in plan.sends)


def test_who_of_a_warning_and_of_its_content_is_who_is_then_planned_for_at_every_release(platform: Platform) -> None:
    house, log, told = platform.house, platform.log, []
    story = [("a", "yellow", DISTRICT), ("b", "orange", DISTRICT), ("c", "orange", f"{DISTRICT}001")]
    before: list[tuple[str, float]] = []
    for turn, (name, level, code) in enumerate(story):
        asking = audience_of(platform)  # another reader of the log, as a command is
        asking.follow(log.head())
        (content,) = who_of_content(
            log, asking, house.policy, house.gazetteer,
            hazard="11B03", level=Level(level), codes=[code], at=platform.clock.now(),
        )  # fmt: skip
        kind = "Update" if before else "Alert"
        message = cap(name, minutes=turn * 10, kind=kind, level=level, codes=(code,), references=tuple(before))
        deliver(platform, message, minutes=turn * 10)
        asking.follow(log.head())
        warning = who_of_warning(log, asking, house.policy, DISTRICT, Mode.LIVE)
        plan = planned(platform)
        assert_equal(warning, plan)
        assert_equal(content, plan)
        told.append(dict(plan.by_role))
        before = [(name, turn * 10)]
    assert told == [{"commander": 1, "watcher": 1}, {"commander": 1, "watcher": 1}, {}]


def test_reasons_and_a_district_each_are_counted_for_content_that_nobody_has_sent(platform: Platform) -> None:
    house = platform.house
    asking = audience_of(platform)
    asking.follow(platform.log.head())
    answers = who_of_content(
        platform.log, asking, house.policy, house.gazetteer,
        hazard="11B03", level=Level.ORANGE, codes=[DISTRICT, "330683"], at=platform.clock.now(),
    )  # fmt: skip
    assert [(one.asked.district, one.people, one.by_role) for one in answers] == [
        (DISTRICT, 2, {"commander": 1, "watcher": 1}),
        ("330683", 1, {"commander": 1}),
    ]
    assert answers[0].by_channel == {ChannelKind.SMS: 1, ChannelKind.EMAIL: 1}
    assert {(reason, count) for _, reason, count in answers[0].withheld} == {
        (Reason.NOT_THEIR_HAZARD, 1),
        (Reason.BELOW_THEIR_LEVEL, 1),
        (Reason.NO_CHANNEL, 1),
    }
    assert house.ledger.newest(telling_stream(DISTRICT, Mode.LIVE)) is None


def test_what_is_not_known_is_an_error_and_never_everyone(platform: Platform) -> None:
    house, asking = platform.house, audience_of(platform)
    for hazard, code in (("11B03", "999999"), ("nothing", DISTRICT)):
        with pytest.raises(LookupError, match="not known here"):
            who_of_content(
                platform.log, asking, house.policy, house.gazetteer,
                hazard=hazard, level=Level.RED, codes=[code], at=START,
            )  # fmt: skip
    with pytest.raises(LookupError, match="does not stand"):
        who_of_warning(platform.log, asking, house.policy, DISTRICT, Mode.LIVE, warning_id="other")
