"""The demonstration on a console: it tells the story, keeps its pace, and fails loudly."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from adapters.clocks import ManualClock
from adapters.demo import DemoError, default_speed, load_story, open_platform, play, replay
from adapters.settings import Settings
from adapters.wiring import build
from streams.intake import Outcome

pytestmark = pytest.mark.long


def played(directory: Path, language: str) -> str:
    file = io.StringIO()
    with open_platform(directory) as platform:
        play(platform, Console(file=file, width=100), speed=0, language=language)
    return file.getvalue()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh",
            ("台风“梅花”", "【绍兴发布】", "级别相差过大，提请会商", "联合发布山洪灾害红色预警", "不公开", "为什么"),
        ),
        ("en", ("Typhoon Muifa", "[Shaoxing]", "up for consultation", "remit-hazard", "[DRILL]", "not public", "Why")),
        ("both", ("台风“梅花”", "Typhoon Muifa", "红色 / red")),
    ],
)
def test_the_whole_story_is_told(tmp_path: Path, language: str, words: tuple[str, ...]) -> None:
    told = played(tmp_path, language)
    assert [word for word in words if word not in told] == []
    for arrival in load_story().arrivals:
        assert arrival.file not in told


def test_nobody_waits_where_nobody_watches() -> None:
    assert default_speed(Console(file=io.StringIO())) == 0
    assert default_speed(Console(file=io.StringIO(), force_terminal=True)) > 0


def test_a_quiet_night_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    with open_platform(tmp_path) as platform:
        play(platform, Console(file=io.StringIO()), speed=4000, language="en")
    assert max(slept) == 1.5
    assert 15 < sum(slept) < 30


@pytest.mark.parametrize(("speed", "language"), [(0, "fr"), (-1, "en")])
def test_a_wrong_option_is_refused_before_anything_happens(tmp_path: Path, speed: float, language: str) -> None:
    with open_platform(tmp_path) as platform:
        head = platform.log.head()
        with pytest.raises(ValueError, match=r"language is one of|speed is 0 or more"):
            play(platform, Console(file=io.StringIO()), speed=speed, language=language)
        assert platform.log.head() == head


def test_a_log_that_holds_events_is_refused(tmp_path: Path) -> None:
    played(tmp_path, "en")
    with open_platform(tmp_path) as platform, pytest.raises(DemoError, match="holds events already"):
        list(replay(platform, load_story()))


def test_another_outlets_policy_is_refused(tmp_path: Path) -> None:
    story = load_story()
    settings = Settings(data_dir=tmp_path, policy="shenzhen")
    with build(settings, clock=ManualClock(story.begins)) as platform, pytest.raises(DemoError, match="shenzhen"):
        list(replay(platform, story))


def test_an_answer_that_is_not_the_storys_fails_loudly(tmp_path: Path) -> None:
    story = load_story()
    first = story.arrivals[0].model_copy(update={"expect": Outcome.REJECTED})
    wrong = story.model_copy(update={"arrivals": (first,), "replies": ()})
    with open_platform(tmp_path) as platform, pytest.raises(DemoError, match="accepted, where the story says rejected"):
        list(replay(platform, wrong))


def test_what_a_demonstration_shows_has_a_name() -> None:
    with pytest.raises(KeyError, match="fireworks"):
        load_story().special("fireworks")
