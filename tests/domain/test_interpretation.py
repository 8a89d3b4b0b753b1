"""What a message means under the policy, and every reason for which it is refused or noted."""

from datetime import timedelta
from typing import Any

import pytest

from domain.findings import Code, Finding
from domain.interpretation import Interpretation, interpret
from domain.levels import Level
from domain.messages import AgencyMessage, MessageType, Named, Status
from domain.policy import Policy
from tests.domain.builders import (
    FLOOD,
    GALE,
    LAND,
    LANDSLIDE,
    RAIN,
    SHENGZHOU,
    SKY,
    START,
    TASHAN,
    WATER,
    YUECHENG,
    FakeGazetteer,
    claim,
    coded,
    info,
    message,
    policy_with,
)

POLICY = policy_with()
NARROW = policy_with(
    replaced={
        'short_names = { zh-CN = "市水利局" }\nremit = { hazards = ["*"] }': 'short_names = { zh-CN = "市水利局" }\n'
        'remit = { hazards = ["11A51"], areas = ["330602001", "330683"], levels = ["blue", "yellow"] }'
    }
)


def meaning_of(
    one: AgencyMessage, agency: str = SKY, policy: Policy = POLICY, seconds_later: float = 0
) -> Interpretation:
    now = START + timedelta(seconds=seconds_later)
    return interpret(one, agency_id=agency, policy=policy, gazetteer=FakeGazetteer(), now=now)


def codes(meaning: Interpretation, *, refuses: bool | None = None) -> list[Code]:
    return [found.code for found in meaning.findings if refuses is None or found.refuses is refuses]


def only(meaning: Interpretation) -> Finding:
    assert len(meaning.findings) == 1, meaning.findings
    return meaning.findings[0]


def test_a_message_becomes_a_statement_with_its_own_words() -> None:
    meaning = meaning_of(message("a", info(RAIN, Level.RED, TASHAN, sender_name="绍兴市气象台", headline="红色")))
    assert meaning.findings == ()
    (statement,) = meaning.statements
    assert (statement.hazard, statement.level, statement.effective) == (RAIN, Level.RED, START)
    assert [area.code for area in statement.areas] == [TASHAN]
    assert (statement.wordings[0].station, statement.wordings[0].headline) == ("绍兴市气象台", "红色")


@pytest.mark.parametrize(("more", "station"), [({"source": "台"}, "台"), ({}, "33060041600000")])
def test_the_station_is_the_sender_name_else_the_source_else_the_sender(more: dict[str, Any], station: str) -> None:
    assert meaning_of(message("a", info(), **more)).statements[0].wordings[0].station == station


def test_an_unknown_agency_is_refused() -> None:
    assert only(meaning_of(message("a", info()), "nobody")).code is Code.UNKNOWN_AGENCY


def test_a_disabled_agency_is_refused() -> None:
    policy = policy_with(replaced={'id = "meteorology"': 'id = "meteorology"\ndisabled = true'})
    assert only(meaning_of(message("a", info()), policy=policy)).code is Code.REMIT_AGENCY


@pytest.mark.parametrize(
    ("sender", "allowed"),
    [
        ("land@shaoxing.example", True),
        ("33060233200000", True),
        ("33070233200000", False),
        ("LAND@shaoxing.example", False),
    ],
)
def test_an_agency_speaks_only_as_its_senders_and_a_star_stands_for_any_ending(sender: str, *, allowed: bool) -> None:
    meaning = meaning_of(message("a", info(), sender=sender), LAND)
    assert codes(meaning) == ([] if allowed else [Code.REMIT_SENDER])
    assert meaning.refused is not allowed


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SYSTEM])
def test_drafts_and_system_messages_are_refused(status: Status) -> None:
    assert only(meaning_of(message("a", info(), status=status))).code is Code.STATUS


@pytest.mark.parametrize("kind", [MessageType.ACK, MessageType.ERROR])
def test_acknowledgements_and_errors_carry_no_warning(kind: MessageType) -> None:
    assert only(meaning_of(message("a", kind=kind))).code is Code.MESSAGE_TYPE


@pytest.mark.parametrize("kind", [MessageType.ALERT, MessageType.UPDATE])
def test_an_alert_or_update_without_info_is_refused(kind: MessageType) -> None:
    assert only(meaning_of(message("a", kind=kind))).code is Code.MISSING


def test_a_cancel_needs_no_info_and_states_nothing() -> None:
    meaning = meaning_of(message("a", info("nonsense"), refs=["b"], kind=MessageType.CANCEL))
    assert (meaning.statements, meaning.findings) == ((), ())


def test_an_unknown_hazard_is_refused_with_its_words() -> None:
    found = only(meaning_of(message("a", info("meteor", event_codes=coded("GB", "99Z99")))))
    assert (found.code, found.path, found.refuses) == (Code.UNKNOWN_HAZARD, "/alert/info[1]/event", True)
    assert "meteor" in found.sentence
    assert "GB=99Z99" in found.sentence


@pytest.mark.parametrize(
    ("event", "event_codes", "hazard"),
    [
        ("whatever", coded("any system", "11A51"), FLOOD),
        ("Flash  FLOOD watch ", (), FLOOD),
        ("暴雨", (), RAIN),
        ("rainstorm", (), RAIN),
        ("11B06", (), GALE),
        ("11B06", coded("unknown", "unknown"), GALE),
        ("whatever", coded("OET", "OET-038"), RAIN),
        ("11D02", (), LANDSLIDE),
    ],
)
def test_a_hazard_is_known_by_its_coded_value_its_code_or_its_words(
    event: str, event_codes: tuple[Named, ...], hazard: str
) -> None:
    names = '{ zh-CN = "暴雨", en = "Rainstorm" }'
    policy = policy_with(replaced={names: f'{names}\nevent_codes = {{ OET = ["OET-038"] }}'})
    assert meaning_of(message("a", info(event, event_codes=event_codes)), policy=policy).statements[0].hazard == hazard


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        ("Extreme", Level.RED),
        (" severe", Level.ORANGE),
        ("MODERATE", Level.YELLOW),
        ("Minor", Level.BLUE),
        ("Unknown", None),
    ],
)
def test_a_level_follows_from_caps_severity_when_the_format_has_none(severity: str, level: Level | None) -> None:
    meaning = meaning_of(message("a", info(RAIN, None, severity=severity)))
    assert [statement.level for statement in meaning.statements] == ([level] if level else [])
    assert codes(meaning) == ([] if level else [Code.UNKNOWN_LEVEL])


def test_the_formats_own_level_wins_over_the_severity() -> None:
    assert meaning_of(message("a", info(RAIN, Level.BLUE, severity="Extreme"))).statements[0].level is Level.BLUE


def test_a_level_may_be_read_from_the_parameter_that_the_policy_names() -> None:
    reading = """[reading]
level_from = ["parameter:awareness_level", "severity"]
level_words = { "2; yellow; Moderate" = "yellow" }
"""
    policy = policy_with(reading)
    parameters = (Named(name="other", value="red"), Named(name="awareness_level", value="2; Yellow; moderate "))
    meant = meaning_of(message("a", info(RAIN, Level.RED, parameters=parameters, severity="Extreme")), policy=policy)
    assert meant.statements[0].level is Level.YELLOW
    without = meaning_of(message("a", info(RAIN, Level.RED, severity="Extreme")), policy=policy)
    assert without.statements[0].level is Level.RED
    neither = meaning_of(message("a", info(RAIN, Level.RED)), policy=policy)
    assert only(neither).code is Code.UNKNOWN_LEVEL


def test_a_level_the_hazard_does_not_use_is_noted_and_stands() -> None:
    policy = policy_with(replaced={'code = "11B06"': 'code = "11B06"\nlevels = ["yellow", "red"]'})
    meaning = meaning_of(message("a", info(GALE, Level.BLUE)), policy=policy)
    assert (only(meaning).code, meaning.refused) == (Code.UNKNOWN_LEVEL, False)
    assert meaning.statements[0].level is Level.BLUE
    assert meaning_of(message("a", info(GALE, Level.RED)), policy=policy).findings == ()


@pytest.mark.parametrize(
    ("hazard", "level", "place", "code"),
    [
        (RAIN, Level.BLUE, SHENGZHOU, Code.REMIT_HAZARD),
        (FLOOD, Level.RED, SHENGZHOU, Code.REMIT_LEVEL),
        (FLOOD, Level.BLUE, YUECHENG, Code.REMIT_AREA),
        (FLOOD, Level.BLUE, "330602002", Code.REMIT_AREA),
    ],
)
def test_outside_its_remit_an_agency_is_refused_with_the_reason(
    hazard: str, level: Level, place: str, code: Code
) -> None:
    found = only(meaning_of(message("a", info(hazard, level, place)), WATER, NARROW))
    assert (found.code, found.refuses, found.path) == (code, True, "/alert/info[1]")
    assert WATER in found.sentence


@pytest.mark.parametrize("place", [TASHAN, "330602001001", SHENGZHOU, "330683001"])
def test_a_remit_covers_what_lies_within_its_areas(place: str) -> None:
    assert meaning_of(message("a", info(FLOOD, Level.BLUE, place)), WATER, NARROW).findings == ()


def test_every_way_of_leaving_the_remit_is_told() -> None:
    meaning = meaning_of(message("a", info(RAIN, Level.RED, YUECHENG)), WATER, NARROW)
    assert codes(meaning, refuses=True) == [Code.REMIT_HAZARD, Code.REMIT_LEVEL, Code.REMIT_AREA]


def test_a_message_that_names_no_place_reaches_nobody_and_never_everybody() -> None:
    for nothing in ((), (claim(),)):
        meaning = meaning_of(message("a", info(areas=nothing)))
        assert meaning.statements == ()
        assert codes(meaning, refuses=True) == [Code.NO_AREA]


def test_a_message_whose_places_are_all_unknown_is_refused() -> None:
    meaning = meaning_of(message("a", info(RAIN, Level.RED, "339999", "330102")))
    assert codes(meaning) == [Code.UNKNOWN_PLACE, Code.PARTLY_OUTSIDE, Code.NO_AREA]


def test_a_message_wholly_outside_our_districts_is_refused_as_such() -> None:
    assert codes(meaning_of(message("a", info(RAIN, Level.RED, "330102"))), refuses=True) == [Code.OUTSIDE]


def test_an_update_wholly_outside_our_districts_is_noted_for_it_ends_what_stood_here() -> None:
    meaning = meaning_of(message("b", info(RAIN, Level.RED, "330102"), refs=["a"]))
    assert (meaning.refused, meaning.statements) == (False, ())
    assert Code.OUTSIDE in codes(meaning, refuses=False)


def test_places_that_are_unknown_or_outside_are_noted_and_the_others_stand() -> None:
    meaning = meaning_of(message("a", info(RAIN, Level.RED, TASHAN, "339999", "330102")))
    assert codes(meaning, refuses=False) == [Code.UNKNOWN_PLACE, Code.PARTLY_OUTSIDE]
    assert [area.code for area in meaning.statements[0].areas] == [TASHAN]


def test_an_info_without_a_place_beside_one_with_it_is_left_out_with_a_note() -> None:
    meaning = meaning_of(message("a", info(RAIN), info(GALE, areas=())))
    assert (only(meaning).code, only(meaning).path, meaning.refused) == (Code.NO_AREA, "/alert/info[2]", False)
    assert [statement.hazard for statement in meaning.statements] == [RAIN]


def test_languages_that_say_the_same_become_one_statement_with_several_wordings() -> None:
    meaning = meaning_of(message("a", info(RAIN), info(RAIN, language="en")))
    assert meaning.findings == ()
    assert [[wording.language for wording in said.wordings] for said in meaning.statements] == [["zh-CN", "en"]]


def test_two_infos_in_one_language_keep_both_their_texts() -> None:
    blocks = [
        info(RAIN, description="one"),
        info(RAIN, description="two"),
        info(RAIN, language="en", description="three"),
    ]
    meaning = meaning_of(message("a", *blocks))
    texts = [[wording.description for wording in said.wordings] for said in meaning.statements]
    assert texts == [["one", "three"], ["two"]]


@pytest.mark.parametrize(
    "other",
    [
        info(RAIN, Level.RED, language="en"),
        info(RAIN, Level.YELLOW, TASHAN, language="en"),
        info(GALE, Level.YELLOW, language="en"),
        info(RAIN, Level.YELLOW, language="en", hours=3),
    ],
)
def test_languages_that_differ_in_hazard_level_area_or_time_are_noted(other: object) -> None:
    meaning = meaning_of(message("a", info(RAIN), other))  # type: ignore[arg-type]  # an info
    assert set(codes(meaning)) == {Code.LANGUAGES_DIFFER}
    assert not meaning.refused
    assert len(meaning.statements) == 2


def test_where_no_end_is_given_the_hazards_default_holds_else_the_policys() -> None:
    meaning = meaning_of(message("a", info(FLOOD, hours=None), info(RAIN, hours=None)))
    ends = {statement.hazard: statement.expires for statement in meaning.statements}
    assert ends == {FLOOD: START + timedelta(hours=12), RAIN: START + timedelta(hours=24)}


def test_the_default_end_counts_from_the_effective_time() -> None:
    later = START + timedelta(hours=5)
    meaning = meaning_of(message("a", info(FLOOD, hours=None, effective=later)))
    assert meaning.statements[0].expires == later + timedelta(hours=12)


def test_a_listed_message_has_no_end_whatever_its_text_says() -> None:
    meaning = meaning_of(message("a", info(RAIN, hours=1), listed=True), seconds_later=1_000_000)
    assert meaning.statements[0].expires is None
    assert meaning.findings == ()


@pytest.mark.parametrize(("seconds", "expected"), [(3599, []), (3600, [Code.EXPIRED])])
def test_a_message_that_had_expired_before_it_came_is_noted(seconds: float, expected: list[Code]) -> None:
    meaning = meaning_of(message("a", info(RAIN, hours=1)), seconds_later=seconds)
    assert codes(meaning, refuses=False) == expected


def test_one_part_that_has_not_expired_is_enough() -> None:
    assert meaning_of(message("a", info(RAIN, hours=1), info(GALE, hours=9)), seconds_later=7200).findings == ()
