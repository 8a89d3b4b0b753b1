"""What happened to a district or a warning, and why a warning says what it says."""

import json
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from adapters.bench.p5_events import City
from adapters.store.read_tables import SqlReadTables
from adapters.store.sqlite_log import SqliteEventLog
from domain import merging
from domain.levels import Level
from domain.messages import MessageType, Mode
from domain.outlet import SettleConflict
from domain.release import Approve, Refuse
from projections.explanation import Explanation, explain
from projections.history import HISTORY_PROJECTION, find_warning, history
from projections.words import _WORDS, sentence
from tests.projections.conftest import Follow
from tests.projections.samples import DISTRICT, TOWN, arrival


def two_episodes(city: City) -> tuple[str, str]:
    city.arrive(arrival(city, "m-1"))
    city.now += timedelta(seconds=40)
    city.clock()
    first = city.outlet(DISTRICT).warning_id
    city.arrive(arrival(city, "m-2", kind=MessageType.CANCEL, of="m-1"))
    city.now += timedelta(hours=1)
    city.arrive(arrival(city, "w-1", agency="water"))
    return first, city.outlet(DISTRICT).warning_id


def test_a_districts_history_is_all_that_happened_to_it_in_order(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    two_episodes(city)
    follow(city.events)
    kinds = [entry.kind for entry in history(tables, district=DISTRICT, mode=Mode.LIVE)]
    assert kinds == [
        "contribution-recorded",
        "outlet-revised",
        "release-scheduled",
        "warning-released",
        "contribution-ended",
        "outlet-revised",
        "warning-released",
        "contribution-recorded",
        "outlet-revised",
        "release-scheduled",
    ]


def test_a_warnings_history_holds_its_own_episode_and_no_other(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    first, second = two_episodes(city)
    follow(city.events)
    assert first != second
    whole = history(tables, district=DISTRICT)
    assert list(history(tables, warning_id=first)) == list(whole[:7])
    assert list(history(tables, warning_id=second)) == list(whole[7:])
    assert list(history(tables, warning_id=second, limit=1)) == list(whole[-1:])
    with pytest.raises(LookupError):
        history(tables, warning_id="unknown")


def test_an_agencys_history_names_its_messages(tables: SqlReadTables, city: City, follow: Follow) -> None:
    city.arrive(arrival(city, "m-1"))
    city.arrive(arrival(city, "m-1"))
    follow(city.events)
    entries = history(tables, agency="meteo")
    assert [entry.kind for entry in entries] == ["message-accepted", "contribution-recorded", "duplicate-arrived"]
    words = [entry.as_json(city.policy, "en")["sentence"] for entry in entries]
    assert words[0] == "meteo bureau: alert m-1 was accepted"
    assert words[1] == f"meteo bureau warns: rainstorm yellow (name of {DISTRICT})"


def test_a_warning_is_found_by_its_id_its_beginning_or_its_district(
    tables: SqlReadTables, city: City, follow: Follow
) -> None:
    first, second = two_episodes(city)
    follow(city.events)
    assert find_warning(tables, first) == first
    assert find_warning(tables, first[:13]) == first
    assert find_warning(tables, DISTRICT) == second
    with pytest.raises(LookupError):
        find_warning(tables, "zzz")
    with pytest.raises(LookupError):
        find_warning(tables, "")
    with pytest.raises(LookupError):
        find_warning(tables, DISTRICT, mode=Mode.DRILL)


def test_a_beginning_that_fits_several_warnings_is_refused(tables: SqlReadTables, follow: Follow) -> None:
    city = City(Random(5), districts=[f"1101{number:02d}" for number in range(1, 30)])
    for _ in range(80):
        city.step()
    follow(city.events)
    ids = sorted({entry.warning_id for entry in history(tables) if entry.warning_id})
    first = next(one for one, other in pairwise(ids) if one[0] == other[0])
    with pytest.raises(LookupError, match="several"):
        find_warning(tables, first[0])


def explained(city: City, log: SqliteEventLog, tables: SqlReadTables, language: str = "en") -> Explanation:
    warning = city.outlet(DISTRICT).warning_id
    return explain(log, tables, warning, policy=city.policy, language=language)


def test_an_explanation_names_sources_rules_conflict_and_release(
    log: SqliteEventLog, tables: SqlReadTables, city: City, follow: Follow
) -> None:
    city.arrive(arrival(city, "m-1", level=Level.RED))
    city.now += timedelta(minutes=1)
    city.arrive(arrival(city, "w-1", agency="water", level=Level.BLUE, codes=(TOWN,)))
    city.command(DISTRICT, Mode.LIVE, SettleConflict("rainstorm", "zhang", "agreed"))
    city.release(DISTRICT, Mode.LIVE, Approve("rainstorm", "li"))
    follow(city.events)
    told = explained(city, log, tables)
    (section,) = told.sections
    source = section.sources[0]
    assert (source.identifier, source.raw_sha256, source.level) == ("m-1", "digest of m-1", "red")
    assert source.received == "2026-07-01T08:00:00+08:00"
    applied = {one.rule: one for one in section.applied}
    assert set(applied) == {rule.__name__ for rule in merging.MERGE_RULES}
    assert applied["highest_level_in_force_wins_in_each_area"].sentence.endswith(
        f"name of {DISTRICT}: meteo bureau: red"
    )
    assert applied["finer_areas_that_add_nothing_are_folded"].areas == [TOWN]
    assert "zhang: agreed" in applied["agencies_far_apart_are_flagged_for_consultation"].sentence
    assert told.release is not None
    assert [approval["by"] for approval in told.release.approvals] == ["li"]
    assert (told.release.cause, told.release.sentence) == ("red", "a red is involved: at once")
    assert [revision.revision for revision in told.revisions] == [1, 2, 3]
    assert told.revisions[0].changes == ["rainstorm: entered (red)"]
    json.dumps(told.as_json())


def test_an_earlier_revision_is_explained_as_it_was(
    log: SqliteEventLog, tables: SqlReadTables, city: City, follow: Follow
) -> None:
    city.arrive(arrival(city, "m-1"))
    city.arrive(arrival(city, "m-2", kind=MessageType.UPDATE, of="m-1", level=Level.ORANGE))
    follow(city.events)
    warning = city.outlet(DISTRICT).warning_id
    first = explain(log, tables, warning, policy=city.policy, language="zh-CN", revision=1)
    assert (first.revision, first.sections[0].level) == (1, "yellow")
    assert explained(city, log, tables).sections[0].level == "orange"
    with pytest.raises(LookupError):
        explain(log, tables, warning, policy=city.policy, language="en", revision=9)


def test_a_revision_that_is_not_public_yet_has_no_release(
    log: SqliteEventLog, tables: SqlReadTables, city: City, follow: Follow
) -> None:
    city.arrive(arrival(city, "m-1"))
    follow(city.events)
    assert explained(city, log, tables).release is None


@pytest.mark.parametrize("language", ["zh-CN", "en", "fr"])
def test_everything_that_happens_has_a_sentence_without_empty_braces_or_codes(
    tables: SqlReadTables, follow: Follow, language: str
) -> None:
    city = City(Random(19))
    for _ in range(400):
        city.step()
    city.arrive(arrival(city, "m-1", hazard="landslide", level=Level.RED))
    city.release(DISTRICT, Mode.LIVE, Refuse("landslide", "wang", "not so"))
    follow(city.events)
    entries = history(tables)
    assert {entry.kind for entry in entries} == HISTORY_PROJECTION.topics
    for entry in entries:
        words = entry.as_json(city.policy, language)["sentence"]
        assert words
        assert not set("{}") & set(words)


def test_every_rule_of_merging_has_words() -> None:
    for rule in merging.MERGE_RULES:
        assert rule.__name__ in _WORDS


def test_an_unknown_kind_has_no_sentence(city: City) -> None:
    with pytest.raises(KeyError):
        sentence("unknown", {}, agency="", policy=city.policy, language="en")
