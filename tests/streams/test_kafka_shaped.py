"""The stages behind something that behaves as Kafka does come to what they come to in one process; R7's other half."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random

import msgspec
import pytest

from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.store.codec import EventCodec
from adapters.wiring import DistributedElsewhereError, Platform, build
from domain.events import ContributionRecorded, ContributionsChanged, EventParked, OutletRevised, WarningReleased
from domain.messages import Mode
from domain.ports import VersionConflictError
from streams import kafka_records, kafka_steps
from streams.intake import Delivery
from streams.kafka_records import Consumed, record_of
from streams.kafka_relay import FOLLOWER, Relay
from streams.kafka_steps import DistrictSteps
from streams.kafka_topics import Subject
from streams.pipeline import STAGES
from tests.streams.kafka_shaped import NAMES, SOURCE, Carried, Wire, carried_platform
from tests.streams.messages import START, at, cap
from tests.streams.outcomes import board_of, feed, parked_in, sections_of
from tests.streams.simulation import World
from tests.streams.simulation import run as run_world
from tests.streams.traffic import disturbed, traffic

MERGE = STAGES[0]


@pytest.fixture
def shaoxing(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", policy="shaoxing")


@pytest.fixture
def carried(shaoxing: Settings) -> Iterator[Platform]:
    with carried_platform(shaoxing, ManualClock(START)) as platform:
        yield platform


def deliver(platform: Platform, *contents: bytes) -> None:
    platform.runner.submit([Delivery(content, None, "test") for content in contents])
    platform.runner.pump()


def events_of(platform: Platform, district: str = "330604") -> list[tuple[int, object]]:
    found = [(r.version, r.event) for r in platform.log.read() if getattr(r.event, "district", "") == district]
    return [(version, event) for version, event in found if not isinstance(event, EventParked)]


def same_end(folder: Path, *, seed: int, count: int) -> None:
    sent = traffic(seed, count)
    ends = at(max(one.minutes for one in sent) + 5)
    shaoxing = Settings(data_dir=folder / "clean", policy="shaoxing")
    other = replace(shaoxing, data_dir=folder / "carried")
    with (
        build(shaoxing, clock=ManualClock(START)) as clean,
        carried_platform(other, ManualClock(START), random=Random(seed)) as platform,
    ):
        feed(clean, sent)
        feed(platform, disturbed(sent, seed, repeated=0.2, moved=0.1))
        clean.advance(ends)
        platform.advance(ends)
        clean.runner.pump()
        platform.runner.pump()
        assert any(sections_of(clean).values())
        assert sections_of(platform) == sections_of(clean)
        for mode in Mode:
            assert board_of(platform, mode) == board_of(clean, mode)
        assert parked_in(platform) == []


@pytest.mark.parametrize("seed", range(2))
def test_what_kafka_does_to_records_changes_nothing_of_what_they_come_to(tmp_path: Path, seed: int) -> None:
    same_end(tmp_path, seed=seed, count=100)


def test_a_district_is_the_same_event_for_event_whether_its_stages_run_here_or_behind_kafka(tmp_path: Path) -> None:
    sent = traffic(4, 60)
    shaoxing = Settings(data_dir=tmp_path / "clean", policy="shaoxing")
    with (
        build(shaoxing, clock=ManualClock(START)) as clean,
        carried_platform(replace(shaoxing, data_dir=tmp_path / "carried"), ManualClock(START)) as platform,
    ):
        feed(clean, sent, batch=1)
        feed(platform, sent, batch=1)
        for district in ("330602", "330604", "330681"):
            assert events_of(clean, district)
            assert without_positions(events_of(platform, district)) == without_positions(events_of(clean, district))


def without_positions(events: list[tuple[int, object]]) -> list[object]:
    return [
        (version, event.model_dump(exclude={"position"}) if hasattr(event, "model_dump") else event)
        for version, event in events
    ]


class CarriedWorld(World):
    """The simulation's world, in which both platforms are parts of one distributed outlet."""

    def started(self) -> Platform:
        self.wire = getattr(self, "wire", None) or Wire()
        platform = carried_platform(self.settings, self.clock, self.wire, self.random)
        self.all.append(platform)
        return platform


def run(folder: Path, seed: int, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tests.streams.simulation.World", CarriedWorld)
    run_world(folder, seed)


@pytest.mark.parametrize("seed", range(12))
def test_every_promise_holds_behind_kafka_in_a_world_where_anything_happens(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, seed, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 600))
def test_every_promise_holds_behind_kafka_in_five_hundred_more_worlds(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, seed, monkeypatch)


def records_are_not_known_again(patch: pytest.MonkeyPatch) -> None:
    """Whatever comes twice is processed twice."""
    patch.setattr(DistrictSteps, "_reached", lambda _, names: dict.fromkeys(names, 0))
    patch.setattr("streams.kafka_steps.run_step", without_positions_of_followers)


def without_positions_of_followers(house, name, step, batch, now, *, follower_of):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    house.ledger.refresh()
    for recorded in batch:
        step(house, recorded, now)
    house.ledger.commit()


def a_slice_ends_nothing(patch: pytest.MonkeyPatch) -> None:
    real = kafka_records.record_of

    def record_of_half(recorded, *rest):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN002, ANN202
        event = recorded.event
        if isinstance(event, ContributionsChanged) and event.entered:
            recorded = recorded._replace(event=event.model_copy(update={"ended": ()}))
        elif isinstance(event, ContributionsChanged):
            recorded = recorded._replace(event=event.model_copy(update={"entered": (), "ended": event.ended[:0]}))
        return real(recorded, *rest)

    patch.setattr("streams.kafka_relay.record_of", record_of_half)


def a_record_is_committed_before_it_is_taken(patch: pytest.MonkeyPatch) -> None:
    """What a worker had in its hand when it died never comes again."""
    real = DistrictSteps.take
    calls = count()

    def take(self: DistrictSteps, batch: Sequence[Consumed]) -> int:
        return 0 if next(calls) % 7 == 3 else real(self, batch)

    patch.setattr(DistrictSteps, "take", take)
    patch.setattr(kafka_steps, "missed", lambda *_, **__: iter(()))


@pytest.mark.parametrize(
    "plant", [records_are_not_known_again, a_slice_ends_nothing, a_record_is_committed_before_it_is_taken]
)
def test_a_bug_planted_behind_kafka_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    plant(monkeypatch)

    def until_found() -> None:
        for seed in range(12):
            run(tmp_path / str(seed), seed, monkeypatch)

    with pytest.raises((AssertionError, KeyError)):
        until_found()


# --- one record after the other


def test_a_record_that_comes_again_says_nothing_new(carried: Platform) -> None:
    deliver(carried, cap("a", level="red"))
    head, wire = carried.log.head(), Wire()
    again = Carried(carried, wire)
    again.relay.begin(again_from=0)
    again.drain()
    assert carried.log.head() == head
    assert again.steps["merge"].parked == 0


def test_what_never_came_by_kafka_is_read_from_the_log_before_what_followed_it(carried: Platform) -> None:
    topic = NAMES.of(Subject.CONTRIBUTIONS, Mode.LIVE)
    carried.runner.take_through = lambda: None  # type: ignore[method-assign]
    deliver(carried, cap("a", level="blue"))
    deliver(carried, cap("b", agency="water", hazard="11A51", level="red"))
    deliver(carried, cap("c", agency="natural-resources", hazard="11D01", level="yellow"))
    [_, lost, _] = [r.position for r in carried.log.read() if isinstance(r.event, ContributionsChanged)]
    Carried(carried, Wire(lost={(topic, lost)})).drain()
    recorded = [r.event for r in carried.log.read() if isinstance(r.event, ContributionRecorded)]
    assert [event.contribution.message.identifier for event in recorded] == ["a", "b", "c"]


def test_a_district_behind_which_another_worker_has_gone_is_not_taken_again(carried: Platform) -> None:
    """A worker that was taken for dead wakes up and goes on with what it had."""
    wire = Wire()
    one, other = Carried(carried, wire), Carried(carried, wire)
    carried.runner.take_through = lambda: None  # type: ignore[method-assign]
    deliver(carried, cap("a", level="yellow"))
    deliver(carried, cap("b", level="red", minutes=1, kind="Update", references=(("a", 0),)))
    while one.relay.step():
        pass
    [records] = [found for (topic, _), found in wire.partitions.items() if topic.endswith(".contributions")]
    one.steps["merge"].take(records[:1])
    assert other.steps["merge"].take(records) == 1
    assert one.steps["merge"].take(records) == 0
    assert [r.event.revision for r in carried.log.read() if isinstance(r.event, OutletRevised)] == [1, 2]


def slice_of_a_warning(platform: Platform) -> bytes:
    """The record of the first changed contributions, as the relay makes it."""
    recorded = next(r for r in platform.log.read() if isinstance(r.event, ContributionsChanged))
    return record_of(recorded, EventCodec(), SOURCE, "330604", None)


def changed(value: bytes, **attributes: object) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(value), **attributes})


BAD_RECORDS = {
    "record-empty": lambda value: Consumed("t", 0, 0, b"330604", None),
    "record-undecodable": lambda value: Consumed("t", 0, 0, b"330604", value[:-20]),
    "record-wrong-key": lambda value: Consumed("t", 0, 0, b"330602", value),
    "record-unknown-type": lambda value: Consumed("t", 0, 0, b"330604", changed(value, type="org.example.thing")),
    "record-unreadable": lambda value: Consumed(
        "t", 0, 0, b"330604", changed(value, type="single-outlet.contributions-changed.v99")
    ),
    "record-without-data": lambda value: Consumed("t", 0, 0, b"330604", changed(value, dataref="urn:x", data=None)),
}


@pytest.mark.parametrize("code", BAD_RECORDS)
def test_a_record_that_cannot_be_taken_is_parked_with_its_place_and_what_follows_goes_on(
    carried: Platform, code: str
) -> None:
    carried.runner.take_through = lambda: None  # type: ignore[method-assign]
    deliver(carried, cap("a", level="red"))
    steps = Carried(carried, Wire()).steps["merge"]
    good = slice_of_a_warning(carried)
    bad = BAD_RECORDS[code](good)
    for _ in range(2):  # it is delivered again, and parked once
        steps.take([bad, Consumed("t", 0, 1, b"330604", good)])
    [parked] = parked_in(carried)
    assert parked.detail.startswith(f"{code}: t/0@0: ")
    assert parked.stage == "merge"
    digest = parked.detail.rpartition("kept as ")[2].rstrip(")")
    assert carried.log.attachment(digest) == (bad.value or b"")
    assert [r.event.district for r in carried.log.read() if isinstance(r.event, WarningReleased)] == ["330604"]


def test_an_outlet_that_ran_in_one_process_goes_on_behind_kafka_from_where_it_ended(shaoxing: Settings) -> None:
    with build(shaoxing, clock=ManualClock(START)) as embedded:
        deliver(embedded, cap("a", level="yellow"))
        before = events_of(embedded)
    with carried_platform(shaoxing, ManualClock(START)) as platform:
        deliver(platform, cap("b", agency="water", hazard="11A51", level="red"))
        assert events_of(platform)[: len(before)] == before
        assert [section.hazard for section in sections_of(platform)["live", "330604"]] == ["11A51", "11B03"]


def test_one_process_does_not_take_the_stages_of_a_distributed_outlet_into_its_own_hand(shaoxing: Settings) -> None:
    with carried_platform(shaoxing, ManualClock(START)) as platform:
        deliver(platform, cap("a"))
    with pytest.raises(DistributedElsewhereError, match="OUTLET_KAFKA_BOOTSTRAP_SERVERS"):
        build(shaoxing, clock=ManualClock(START))


def test_a_relay_goes_on_behind_what_was_confirmed_and_never_skips(carried: Platform) -> None:
    carried.runner.take_through = lambda: None  # type: ignore[method-assign]
    deliver(carried, cap("a"), cap("b", agency="water", hazard="11A51"))

    class Torn(Wire):
        """Takes two records and then is gone."""

        def flush(self, timeout: float | None = None) -> None:
            raise ConnectionError("the broker went away")

    torn, wire = Torn(), Wire()
    relay = Relay(events=carried.log, forms=EventCodec(), producer=lambda: torn, names=NAMES, source=SOURCE)
    relay.begin()
    with pytest.raises(ConnectionError):
        relay.step()
    assert carried.log.follower_position(FOLLOWER) == 0
    other = Relay(events=carried.log, forms=EventCodec(), producer=lambda: wire, names=NAMES, source=SOURCE)
    other.begin()
    while other.step():
        pass
    assert carried.log.follower_position(FOLLOWER) == carried.log.head()
    sequences = [
        int(msgspec.json.decode(record.value or b"")["sequence"])
        for (topic, _), records in wire.partitions.items()
        if topic == NAMES.of(Subject.EVENTS, Mode.LIVE)
        for record in records
    ]
    assert sorted(sequences) == list(range(1, carried.log.head() + 1))


def test_of_two_relays_the_slower_one_is_told_that_it_is_not_alone(carried: Platform) -> None:
    deliver(carried, cap("a"))
    one = Relay(events=carried.log, forms=EventCodec(), producer=Wire, names=NAMES, source=SOURCE)
    one.begin()
    carried.runner.submit([Delivery(cap("b", agency="water", hazard="11A51"), None, "test")])
    other = Relay(events=carried.log, forms=EventCodec(), producer=Wire, names=NAMES, source=SOURCE)
    other.begin()
    other.step()
    with pytest.raises(VersionConflictError):
        one.step()


def test_drills_are_carried_on_topics_of_their_own(shaoxing: Settings) -> None:
    wire = Wire()
    with carried_platform(shaoxing, ManualClock(START), wire) as platform:
        deliver(platform, cap("a", level="red", status="Exercise"))
    drills = {topic for topic, _ in wire.partitions if ".drill." in topic}
    assert drills == {
        NAMES.of(one, Mode.DRILL) for one in (Subject.CONTRIBUTIONS, Subject.RELEASES, Subject.WARNINGS, Subject.EVENTS)
    }
    for (topic, _), records in wire.partitions.items():
        modes = {msgspec.json.decode(record.value or b"")["mode"] for record in records}
        assert modes <= ({"drill"} if ".drill." in topic else {"live"})


def test_what_is_too_large_for_a_record_is_named_by_its_position(
    carried: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(carried, cap("a"))
    monkeypatch.setattr(kafka_records, "LARGEST_RECORD_BYTES", kafka_records.OVERHEAD_BYTES + 10)
    envelope = msgspec.json.decode(slice_of_a_warning(carried))
    assert envelope["data"] is None
    assert envelope["dataref"] == f"{SOURCE}/events/{envelope['sequence']}"
