"""Words, numbers and durations in both languages."""

from datetime import UTC, date, datetime
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bench.p5_events import City
from adapters.reports.drawing import shortened, text_width
from adapters.reports.words import phrases_in
from domain.routing import Reason
from domain.sending import Ending
from tests.adapters.reports.conftest import words_of


def fields(phrase: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(phrase) if name}


def test_both_languages_have_the_same_phrases_with_the_same_fields() -> None:
    chinese, english = phrases_in("zh-CN"), phrases_in("en")
    assert chinese.phrases.keys() == english.phrases.keys()
    assert chinese.codes.keys() == english.codes.keys()
    free = {"month", "day"}  # a month has a number in one language and a name in the other
    for name in chinese.phrases.keys() - free:
        assert fields(chinese.phrases[name]) == fields(english.phrases[name]), name


def test_every_reason_of_the_house_has_its_words(city: City) -> None:
    for language in ("zh-CN", "en"):
        words = words_of(city, language)
        for code in [*(one.value for one in Reason), *(one.value for one in Ending)]:
            assert words.code(code) != code or language == "en", code
    assert words_of(city, "zh-CN").code("a-code-of-tomorrow") == "a-code-of-tomorrow"


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (None, "—", "—"),
        (0.0, "0秒", "0 s"),
        (2.44, "2.4秒", "2.4 s"),
        (59.4, "59秒", "59 s"),
        (60.0, "1分", "1 min"),
        (192.0, "3分12秒", "3 min 12 s"),
        (3900.0, "1小时5分", "1 h 5 min"),
        (180_000.0, "2天2小时", "2 d 2 h"),
        (-30.0, "−30秒", "−30 s"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(
    city: City, seconds: float | None, chinese: str, english: str
) -> None:
    assert words_of(city, "zh-CN").seconds(seconds) == chinese
    assert words_of(city, "en").seconds(seconds) == english


def test_counts_shares_days_and_moments(city: City) -> None:
    chinese, english = words_of(city, "zh-CN"), words_of(city, "en")
    assert chinese.number(1_234_567) == "1,234,567"
    assert english.share(1, 3) == "33.3%"
    assert english.share(0, 0) == "—"
    assert chinese.day(date(2026, 9, 3)) == "9月3日"
    assert english.day(date(2026, 9, 3)) == "3 Sep"
    begins = datetime(2026, 8, 31, 16, tzinfo=UTC)
    assert chinese.month(begins) == "2026年9月"
    assert english.month(begins) == "September 2026"
    assert english.moment(begins) == "2026-09-01T00:00:00+08:00"
    assert english.counts({"b": 1, "a": 3}) == "a 3, b 1"


@given(st.text(max_size=40), st.floats(10, 300))
def test_a_shortened_text_fits_or_is_one_ellipsis(text: str, width: float) -> None:
    found = shortened(text, 9, width)
    assert found == "…" or text_width(found, 9) <= width
