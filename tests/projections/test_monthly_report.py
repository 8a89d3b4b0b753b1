"""The monthly report's figures, against a month counted on paper, and the same content wherever it is computed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapters.settings import Settings
from adapters.wiring import open_for_reading
from domain.events import EVENT_TYPES
from domain.levels import Level
from projections import PROJECTIONS
from projections.follow import rebuild
from projections.monthly.facts import FACT_TYPES
from projections.monthly.period import month_named
from projections.monthly.values import EntryKind, MonthlyReport, Spread
from projections.monthly_report import content_json, content_sha256, monthly_report
from tests.conftest import PROJECT
from tests.projections.months import (
    FLASH_FLOOD,
    RAIN,
    SHANGYU,
    SHENGZHOU,
    TYPHOON,
    XINCHANG,
    Month,
    made_up_month,
)

LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    with made_up_month(tmp_path_factory.mktemp("month") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def report(month: Month) -> MonthlyReport:
    platform = month.town.platform
    return monthly_report(platform.log, "2022-09", policy=platform.policy, now=LATER)


def spread(samples: int, median: float, p90: float, longest: float) -> Spread:
    return Spread(samples=samples, median_seconds=median, p90_seconds=p90, longest_seconds=longest)


def test_releases_are_counted_by_hazard_level_district_and_day(report: MonthlyReport) -> None:
    figures = report.releases
    assert (figures.releases, figures.warnings, figures.new_warnings, figures.entries) == (11, 3, 2, 11)
    assert figures.highest_levels == {Level.RED: 1, Level.ORANGE: 1, Level.BLUE: 1}
    assert {one.key: one.entries for one in figures.by_district} == {SHANGYU: 5, XINCHANG: 1, SHENGZHOU: 5}
    assert {one.key: one.entries for one in figures.by_hazard} == {TYPHOON: 1, RAIN: 3, FLASH_FLOOD: 7}
    assert {one.key: one.entries for one in figures.by_level} == {"red": 2, "orange": 5, "yellow": 1, "blue": 3}
    assert {one.key: one.entries for one in figures.by_day} == {"2022-09-02": 1, "2022-09-13": 7, "2022-09-14": 3}
    rain = {(cell.level, cell.kind): cell.entries for cell in figures.cells if cell.hazard == RAIN}
    assert rain == {
        (Level.YELLOW, EntryKind.ISSUED): 1,
        (Level.RED, EntryKind.RAISED): 1,
        (Level.RED, EntryKind.LIFTED): 1,
    }


def test_the_strip_shows_what_was_carried_over_and_what_ended_by_the_clock(report: MonthlyReport) -> None:
    strip = {row.district: dict(zip(report.releases.days, row.levels, strict=True)) for row in report.releases.strip}
    assert len(report.releases.days) == 30
    shown = {code: {day.day: level for day, level in row.items() if level} for code, row in strip.items()}
    assert shown == {
        XINCHANG: {1: Level.BLUE, 2: Level.BLUE},
        SHANGYU: {13: Level.RED, 14: Level.ORANGE},
        SHENGZHOU: {13: Level.ORANGE, 14: Level.ORANGE},
    }


def test_messages_are_counted_by_agency_with_the_reasons_of_what_was_refused(report: MonthlyReport) -> None:
    found = report.messages
    assert (found.accepted, found.refused, found.duplicates, found.conflicting_copies) == (6, 1, 1, 0)
    by_agency = {one.agency: one for one in found.agencies}
    assert by_agency["meteorology"].kinds == {"Alert": 3, "Cancel": 1, "Update": 1}
    assert (by_agency["water"].accepted, by_agency["water"].duplicates) == (1, 1)
    assert by_agency[""].refused_codes == {"not-xml": 1}


def test_times_run_from_the_agencys_message_to_the_release_and_to_the_last_delivery(report: MonthlyReport) -> None:
    times = report.times
    # R1 120/30, R2 0/0, W1 120/30 in two districts, M3 0/30, and the cancel R3 0/0: sent to received, to release.
    assert times.sent_to_received == spread(6, 60, 120, 120)
    assert times.sent_to_release == spread(6, 90, 150, 150)
    assert times.received_to_release == spread(6, 30, 30, 30)
    assert times.release_to_first_delivery == times.received_to_first_delivery == spread(1, 4, 4, 4)
    assert times.release_to_last_delivery == times.received_to_last_delivery == spread(1, 10, 10, 10)
    by_agency = {one.agency: one.received_to_release for one in times.by_agency}
    assert by_agency == {"meteorology": spread(4, 15, 30, 30), "water": spread(2, 30, 30, 30)}


def test_people_are_counted_once_for_each_release_that_told_them(report: MonthlyReport) -> None:
    telling = report.telling
    assert (telling.plans, telling.told, telling.withheld) == (5, 15, 6)
    assert telling.told_by_level == {Level.RED: 6, Level.ORANGE: 6, Level.YELLOW: 3}
    assert telling.withheld_by_reason == {"already-told": 6}
    counted = {(one.subject, one.state): one.outcomes for one in telling.deliveries}
    assert counted == {
        ("call-up", "accepted"): 1,
        ("warning", "accepted"): 2,
        ("warning", "delivered"): 1,
        ("warning", "failed"): 1,
    }


def test_a_servers_own_words_about_an_address_stay_out(report: MonthlyReport) -> None:
    assert report.telling.endings == {"refused": 1}
    assert "8613800000003" not in content_json(report).decode()
    assert "Officer" not in content_json(report).decode()


def test_posts_are_counted_by_how_fast_they_confirmed(report: MonthlyReport) -> None:
    found = report.call_ups
    assert (found.rounds, found.posts, found.promptly, found.in_time) == (1, 4, 2, 2)
    assert (found.confirmed, found.unconfirmed, found.answered, found.called) == (3, 1, 1, 1)
    assert found.seconds == spread(3, 180, 1200, 1200)
    assert found.hows == {"link": 1, "officer": 1, "sms": 1}
    assert found.endings == {"lifted": 1}


def test_a_settled_conflict_stands_with_how_long_it_took(report: MonthlyReport) -> None:
    found = report.consultation
    assert (found.sections, found.sections_of_several_agencies, found.warnings_of_several_hazards) == (3, 1, 1)
    assert (found.flagged, found.settled, found.dissolved, found.open) == (1, 1, 0, 0)
    (case,) = found.conflicts
    assert (case.district, case.hazard, case.seconds) == (SHENGZHOU, FLASH_FLOOD, 720)
    assert case.levels == {"meteorology": Level.BLUE, "water": Level.ORANGE}


def test_the_last_verdict_counts_and_what_was_never_assessed_is_told(report: MonthlyReport) -> None:
    total = report.assessment.total
    # The typhoon was first released in August, and is assessed there.
    assert (total.warnings, total.assessed, total.hits, total.false_alarms, total.missed) == (3, 2, 1, 1, 1)
    assert (total.accuracy, total.missed_rate, total.threat_score) == (0.5, 0.5, 0.3333)


def test_a_drill_is_in_no_live_figure(report: MonthlyReport) -> None:
    drills = report.drills
    assert (drills.started, drills.messages, drills.releases, drills.told, drills.posts) == (1, 1, 2, 4, 1)
    assert "330603" not in {one.key for one in report.releases.by_district}
    assert "grid-worker" not in {one.key for one in report.call_ups.by_role}


def test_a_month_holds_what_happened_in_it_in_the_outlets_zone(month: Month) -> None:
    platform = month.town.platform
    august, october = (
        monthly_report(platform.log, name, policy=platform.policy, now=LATER) for name in ("2022-08", "2022-10")
    )
    assert (august.releases.releases, august.releases.new_warnings) == (1, 1)
    assert august.begins.isoformat() == "2022-08-01T00:00:00+08:00"
    # Sent and received in September, released a moment after midnight.
    assert (october.messages.accepted, october.releases.releases) == (0, 1)
    assert october.times.received_to_release == spread(1, 30, 30, 30)
    assert october.assessment.total.missed == 1


def test_a_month_that_is_not_over_says_so_and_ends_with_what_is_recorded(month: Month) -> None:
    platform = month.town.platform
    until = month.released(SHANGYU)[1][0]
    now = month.released(SHANGYU)[1][1].at
    running = monthly_report(platform.log, "2022-09", policy=platform.policy, now=now, until=until)
    assert not running.is_over
    assert running.recorded_until == now
    assert running.releases.days[-1] == date(2022, 9, 13)
    assert running.releases.strip[0].levels[-1] is Level.RED
    over = monthly_report(platform.log, "2022-09", policy=platform.policy, now=LATER, until=until)
    assert over.is_over
    assert len(over.releases.days) == 30


def test_the_content_is_the_same_again_after_a_rebuild_and_by_the_reading_side(month: Month, tmp_path: Path) -> None:
    platform = month.town.platform
    first = monthly_report(platform.log, "2022-09", policy=platform.policy, now=LATER)
    rebuild(platform.log, platform.tables, PROJECTIONS)
    again = monthly_report(platform.log, "2022-09", policy=platform.policy, now=LATER + timedelta(days=9))
    assert content_sha256(first) == content_sha256(again)
    with open_for_reading(Settings(data_dir=month.town.folder)) as read:
        assert content_sha256(monthly_report(read.log, "2022-09", policy=read.policy, now=LATER)) == content_sha256(
            first
        )


IN_ANOTHER_PROCESS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from adapters.settings import Settings
from adapters.wiring import open_for_reading
from projections.monthly_report import content_sha256, monthly_report
with open_for_reading(Settings(data_dir=Path(sys.argv[1]))) as read:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    print(content_sha256(monthly_report(read.log, "2022-09", policy=read.policy, now=now)))
"""


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONHASHSEED": "1", "TZ": "America/New_York", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "20260901", "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8"},
    ],
)
def test_the_content_is_the_same_in_other_processes_zones_and_locales(
    month: Month, report: MonthlyReport, surroundings: dict[str, str]
) -> None:
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(month.town.folder)]
    done = subprocess.run(
        command,
        env={**os.environ, **surroundings},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == content_sha256(report)


def test_no_such_month_or_position_is_an_error_with_its_words(month: Month) -> None:
    platform = month.town.platform
    for name in ("2022-13", "2022-9", "September", "", "0000-01", "1969-12"):
        with pytest.raises(ValueError, match="is not a month"):
            monthly_report(platform.log, name, policy=platform.policy, now=LATER)
    with pytest.raises(ValueError, match="has no position"):
        monthly_report(platform.log, "2022-09", policy=platform.policy, now=LATER, until=platform.log.head() + 1)


def test_months_of_zones_with_summer_time_are_as_long_as_they_are() -> None:
    period = month_named("2022-10", ZoneInfo("Europe/Berlin"))
    assert period.ends.astimezone(UTC) - period.begins.astimezone(UTC) == timedelta(days=31, hours=1)
    assert len(period.days(period.ends)) == 31
    assert month_named("2022-12", UTC).ends == datetime(2023, 1, 1, tzinfo=UTC)


def test_what_is_read_of_an_event_has_its_names() -> None:
    for topic, fact in FACT_TYPES.items():
        assert set(fact.__struct_fields__) <= set(EVENT_TYPES[topic].model_fields), topic
