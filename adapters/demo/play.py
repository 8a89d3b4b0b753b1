"""Plays the demonstration on a console, at once or in simulated time."""

import time
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from adapters.clocks import ManualClock
from adapters.demo.closing import tell_the_board, tell_the_sum, tell_why
from adapters.demo.looks import Looks
from adapters.demo.replay import Step, replay
from adapters.demo.story import load_story
from adapters.demo.telling import Teller
from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.values import Language

LANGUAGES: Final[dict[str, tuple[Language, ...]]] = {
    "zh": ("zh-CN",),
    "zh-CN": ("zh-CN",),
    "en": ("en",),
    "both": ("zh-CN", "en"),
}

TERMINAL_SPEED: Final = 4000.0
"""Simulated seconds per real second: the 36 hours take about 25 seconds."""

LONGEST_PAUSE_SECONDS: Final = 1.5
"""A quiet night is cut short."""


def default_speed(console: Console) -> float:
    """The pace for a person at a terminal; 0, no waiting, for anything else."""
    return TERMINAL_SPEED if console.is_terminal else 0.0


def open_platform(data_dir: Path) -> Platform:
    """A platform in Shaoxing whose clock stands where the story begins; the caller closes it."""
    settings = Settings(data_dir=data_dir, policy="shaoxing")
    return build(settings, clock=ManualClock(load_story().begins))


def play(platform: Platform, console: Console, *, speed: float | None = None, language: str = "both") -> None:
    """Play the story on a fresh platform and tell it as it happens, then the board and an explanation.

    `speed` is in simulated seconds per real second, 0 for no waiting, None for the console's default; `language` is
    one of `LANGUAGES`.

    Raises:
        DemoError: the platform is not fresh, or something came out otherwise than the story says.
        ValueError: the language or speed is none.
    """
    if language not in LANGUAGES:
        raise ValueError(f"the language is one of {', '.join(LANGUAGES)}, not {language!r}")
    pace = default_speed(console) if speed is None else speed
    if pace < 0:
        raise ValueError(f"the speed is 0 or more simulated seconds per second, not {pace}")
    story = load_story()
    looks = Looks(platform.policy, LANGUAGES[language])
    teller = Teller(console, looks, platform.gazetteer)
    title = looks.both("台风“梅花”过绍兴，2022年9月13日至14日", "Typhoon Muifa over Shaoxing, 13 to 14 September 2022")
    console.rule(Text(title, style="bold"))
    steps: list[Step] = []
    before = story.begins
    for step in replay(platform, story):
        _pause(before, step.at, pace)
        teller.tell(step)
        steps.append(step)
        before = step.at
    console.rule()
    tell_the_sum(console, looks, steps)
    tell_the_board(console, looks, platform)
    tell_why(console, looks, platform, story.explained)


def _pause(before: datetime, now: datetime, pace: float) -> None:
    if pace > 0:
        seconds = (now - before).total_seconds() / pace
        time.sleep(min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS))
