"""What the demonstration promises to show, one promise a test."""

from collections.abc import Iterable
from datetime import datetime

from adapters.demo import load_story
from domain.contributions import Contribution
from domain.event import Event
from domain.events import (
    ConflictFlagged,
    ContributionEnded,
    ContributionRecorded,
    DuplicateArrived,
    EndReason,
    OutletRevised,
    ReleaseScheduled,
    WaitEnded,
    WarningReleased,
)
from domain.levels import Level
from domain.messages import MessageFormat, MessageType, Mode
from domain.sections import ChangeKind, Section
from projections.explanation import explain
from projections.history import find_warning
from streams.intake import Outcome
from tests.adapters.demo.conftest import Replayed

YUECHENG, KEQIAO, SHANGYU, XINCHANG, ZHUJI, SHENGZHOU = ("330602", "330603", "330604", "330624", "330681", "330683")
RAINSTORM, TYPHOON, FLASH_FLOOD, GEOLOGICAL, RIVER_FLOOD = ("11B03", "11B01", "11A51", "11B37", "11A01")


def revision(events: Iterable[Event], district: str) -> OutletRevised:
    """The last revision of a district among the events."""
    return [event for event in events if isinstance(event, OutletRevised) and event.district == district][-1]


def section(revised: OutletRevised, hazard: str) -> Section:
    return next(section for section in revised.sections if section.hazard == hazard)


def codes(replayed: Replayed, special: str) -> set[str]:
    return {found.code.value for receipt in replayed.of(special).receipts for found in receipt.findings}


def outcome(replayed: Replayed, special: str) -> Outcome:
    (receipt,) = replayed.of(special).receipts
    return receipt.outcome


def test_three_bureaus_speak_three_formats() -> None:
    arrivals = load_story().arrivals
    assert 35 <= len(arrivals) <= 50
    assert {arrival.agency for arrival in arrivals} == {"water", "meteorology", "natural-resources"}
    assert {MessageFormat.CAP, MessageFormat.CN12379, MessageFormat.LIST} == {
        MessageFormat.LIST
        if arrival.is_list
        else MessageFormat.CN12379
        if b"<sendTime>" in arrival.content()
        else MessageFormat.CAP
        for arrival in arrivals
    }
    assert [arrival.at for arrival in arrivals] == sorted(arrival.at for arrival in arrivals)


def test_a_message_that_comes_again_is_a_duplicate_and_changes_nothing(replayed: Replayed) -> None:
    assert outcome(replayed, "duplicate") is Outcome.DUPLICATE
    assert [type(event) for event in replayed.of("duplicate").events] == [DuplicateArrived]


def test_the_same_number_with_other_words_is_flagged_and_the_first_stands(replayed: Replayed) -> None:
    assert outcome(replayed, "conflicting-copy") is Outcome.CONFLICTING_COPY
    assert not any(isinstance(event, OutletRevised) for event in replayed.of("conflicting-copy").events)


def test_refused_messages_carry_their_reason(replayed: Replayed) -> None:
    assert codes(replayed, "dtd") == {"dtd"}
    assert codes(replayed, "truncated") == {"not-xml"}
    assert codes(replayed, "outside-remit") >= {"remit-hazard"}
    assert codes(replayed, "unknown-place") >= {"no-area", "unknown-place"}
    for special in ("dtd", "truncated", "outside-remit", "unknown-place"):
        assert outcome(replayed, special) is Outcome.REJECTED


def test_one_unknown_place_among_known_ones_is_noted(replayed: Replayed) -> None:
    assert codes(replayed, "one-place-unknown") == {"unknown-place"}
    stands = section(revision(replayed.of("one-place-unknown").events, SHANGYU), GEOLOGICAL)
    assert {area.name for area in stands.areas} == {"岭南乡", "陈溪乡", "下管镇"}


def test_two_agencies_on_one_hazard_make_one_section_and_a_joint_headline(replayed: Replayed) -> None:
    joint = section(revision(replayed.of("two-agencies-in-one-section").events, SHENGZHOU), FLASH_FLOOD)
    assert joint.issuers == ("water", "meteorology")
    assert joint.level is Level.RED
    assert joint.headlines["zh-CN"] == "绍兴市水利局、市气象局2022年9月13日8时05分联合发布山洪灾害红色预警"


def test_a_cancel_before_its_alert_waits_and_the_alert_never_comes_into_force(replayed: Replayed) -> None:
    assert replayed.of("cancel-before-alert").receipts[0].effect == "waits-for-its-alert"
    assert replayed.of("alert-after-its-cancel").receipts[0].effect == "older-than-the-newest"
    assert not any("11B06" in {one.hazard for one in found.sections} for found in revisions(replayed))


def test_an_update_before_its_alert_speaks_for_itself_after_two_minutes(replayed: Replayed) -> None:
    waited = next(step for step in replayed.steps if any(isinstance(event, WaitEnded) for event in step.events))
    assert (waited.at - replayed.of("update-before-alert").at).total_seconds() == 120
    assert section(revision(waited.events, KEQIAO), RAINSTORM).level is Level.ORANGE


def test_a_late_older_update_is_recorded_and_changes_nothing(replayed: Replayed) -> None:
    assert section(revision(replayed.of("rain-lowered").events, SHENGZHOU), RAINSTORM).level is Level.YELLOW
    assert replayed.of("late-update").receipts[0].effect == "older-than-the-newest"
    assert not any(isinstance(event, OutletRevised) for event in replayed.of("late-update").events)


def test_two_levels_apart_are_flagged_and_an_agency_of_its_own_accord_ends_it(replayed: Replayed) -> None:
    flagged = [event for event in replayed.of("conflict").events if isinstance(event, ConflictFlagged)]
    assert [(event.district, event.hazard) for event in flagged] == [(ZHUJI, FLASH_FLOOD)]
    assert dict(flagged[0].levels) == {"meteorology": Level.ORANGE, "water": Level.BLUE}
    apart = section(revision(replayed.of("conflict").events, ZHUJI), FLASH_FLOOD)
    assert (apart.level, apart.conflict is not None) == (Level.ORANGE, True)
    assert section(revision(replayed.of("conflict-resolved").events, ZHUJI), FLASH_FLOOD).conflict is None


def test_a_lifted_rainstorm_leaves_flash_flood_slides_and_river_in_force(replayed: Replayed) -> None:
    after = revision(replayed.of("rain-lifted-slides-stay").events, ZHUJI)
    assert {one.hazard for one in after.sections} == {FLASH_FLOOD, GEOLOGICAL, RIVER_FLOOD}
    assert [change.kind for change in after.changes] == [ChangeKind.LIFTED]


def test_geological_blue_is_for_the_agencies_alone(replayed: Replayed) -> None:
    after = revision(replayed.of("not-published").events, KEQIAO)
    assert section(after, GEOLOGICAL).level is Level.BLUE
    assert not any(
        isinstance(event, WarningReleased | ReleaseScheduled) and event.district == KEQIAO
        for event in replayed.of("not-published").events
    )
    for step in replayed.steps:
        for event in step.events:
            if isinstance(event, WarningReleased) and event.district == KEQIAO:
                assert GEOLOGICAL not in {one.hazard for one in event.sections}


def test_what_is_no_longer_listed_has_ended(replayed: Replayed) -> None:
    ended = [event for event in replayed.of("unlisted").events if isinstance(event, ContributionEnded)]
    assert [(event.district, event.reason) for event in ended] == [(KEQIAO, EndReason.UNLISTED)]


def test_a_drill_stays_on_its_own_streams_and_in_its_own_words(replayed: Replayed) -> None:
    events = replayed.of("drill").events
    assert {event.mode for event in events if isinstance(event, OutletRevised | WarningReleased)} == {Mode.DRILL}
    (release,) = [event for event in events if isinstance(event, WarningReleased)]
    assert release.texts[0].headline.startswith("【演练】")
    assert release.texts[1].headline.startswith("[DRILL]")
    live = [one for one in revisions(replayed) if one.mode is Mode.LIVE]
    assert not any("SXWR-DRILL" in one.model_dump_json() for one in live)


def test_yuechengs_rainstorm_ends_by_the_clock(replayed: Replayed) -> None:
    at = datetime.fromisoformat("2022-09-13T13:50:00+08:00")
    (step,) = [step for step in replayed.steps if step.arrival is None and step.at == at]
    assert revision(step.events, YUECHENG).sections == ()


def test_what_goes_on_unchanged_is_a_continued_release(replayed: Replayed) -> None:
    after = revision(replayed.of("continued").events, XINCHANG)
    assert [change.kind for change in after.changes] == [ChangeKind.CONTINUED]


def test_the_last_lifting_ends_the_districts_episode_with_a_cancel(replayed: Replayed) -> None:
    (release,) = [event for event in replayed.of("episode-ends").events if isinstance(event, WarningReleased)]
    assert (release.district, release.message_type, release.sections) == (ZHUJI, MessageType.CANCEL, ())


def test_only_shengzhou_is_left_and_its_warning_is_explained_by_three_agencies(replayed: Replayed) -> None:
    platform = replayed.platform
    left = {event.district: event for event in revisions(replayed) if event.mode is Mode.LIVE}
    assert [code for code, event in left.items() if event.sections] == [SHENGZHOU]
    assert load_story().explained == SHENGZHOU
    warning_id = find_warning(platform.tables, SHENGZHOU)
    why = explain(platform.log, platform.tables, warning_id, policy=platform.policy, language="zh-CN")
    agencies = [{source.agency["id"] for source in one.sources} for one in why.sections]
    assert agencies == [{"water", "meteorology"}, {"natural-resources"}]


def test_relayed_texts_are_the_agencies_own_byte_for_byte(replayed: Replayed) -> None:
    """Rule 1: what a station wrote stands in the release as it was sent."""
    arrival = load_story().special("raised-two-steps")
    text = arrival.content().decode().split("<description>")[1].split("</description>")[0]
    (release,) = [event for event in replayed.of("raised-two-steps").events if isinstance(event, WarningReleased)]
    assert release.texts[0].description.count(text) == 1


def test_every_release_carries_a_cap_document(replayed: Replayed) -> None:
    missing = [
        event.identifier
        for step in replayed.steps
        for event in step.events
        if isinstance(event, WarningReleased) and not event.cap.lstrip().startswith("<")
    ]
    assert missing == []


def test_no_level_appears_that_no_agency_set(replayed: Replayed) -> None:
    said: dict[tuple[str, Mode], dict[str, Contribution]] = {}
    for step in replayed.steps:
        for event in step.events:
            match event:
                case ContributionRecorded():
                    own = said.setdefault((event.district, event.mode), {})
                    own[event.contribution.chain] = event.contribution
                case ContributionEnded():
                    said[event.district, event.mode].pop(event.chain)
                case OutletRevised():
                    stated = {
                        (statement.hazard, statement.level)
                        for contribution in said[event.district, event.mode].values()
                        for statement in contribution.statements
                    }
                    assert {(one.hazard, area.level) for one in event.sections for area in one.areas} <= stated
                case _:
                    pass


def revisions(replayed: Replayed) -> list[OutletRevised]:
    return [event for step in replayed.steps for event in step.events if isinstance(event, OutletRevised)]
