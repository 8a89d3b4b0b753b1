"""The story as data: which file arrives when, from whom, and what must become of it; who is told, and who answers."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Literal

from adapters.feeds.profile import ListProfile
from adapters.feeds.profile_files import profile_from_toml
from domain.messages import Mode
from domain.values import Moment, Value
from streams.intake import Outcome

PROFILE = "natural_resources.toml"


class Arrival(Value):
    """One file that arrives.

    `expect` is the outcome that every message in it must have, and `effect` the reason why it changed nothing, where
    there is one; `special` names what the arrival shows, `zh` and `en` say it in a line. A `.json` file is a whole
    list of what is in force, everything else one message.
    """

    at: Moment
    agency: str
    file: str
    expect: Outcome
    effect: str = ""
    special: str = ""
    zh: str
    en: str

    @property
    def is_list(self) -> bool:
        """Whether the file is a list of what is in force."""
        return self.file.endswith(".json")

    def content(self) -> bytes:
        """The file's bytes."""
        return resources.files("adapters.demo").joinpath("messages", self.file).read_bytes()


class RosterFile(Value):
    """A list of people that is taken in before the story begins."""

    file: str
    roster: str
    mode: Mode = Mode.LIVE


class Reply(Value):
    """Somebody on a roster who was called up answers: by a message, on their page, or to the officer who rings up.

    `telephone` is theirs as their roster has it; `answers` are to the policy's questions, by the id of each.
    """

    at: Moment
    telephone: str
    how: Literal["sms", "link", "officer"]
    text: str = ""
    answers: Mapping[str, str] = {}
    zh: str
    en: str


class Story(Value):
    """All arrivals and all replies, each in order of time. `explained` is the district that is explained at the end."""

    begins: Moment
    ends: Moment
    explained: str
    rosters: tuple[RosterFile, ...]
    arrivals: tuple[Arrival, ...]
    replies: tuple[Reply, ...]

    def happenings(self) -> Sequence[Arrival | Reply]:
        """What comes from outside, in order of time."""
        return sorted((*self.arrivals, *self.replies), key=lambda one: one.at)

    def special(self, name: str) -> Arrival:
        """The arrival that shows this.

        Raises:
            KeyError: none does.
        """
        found = next((arrival for arrival in self.arrivals if arrival.special == name), None)
        if found is None:
            raise KeyError(name)
        return found


@cache
def load_story() -> Story:
    """The shipped story."""
    text = resources.files("adapters.demo").joinpath("story.toml").read_text(encoding="utf-8")
    return Story.model_validate(tomllib.loads(text))


@cache
def list_profile() -> ListProfile:
    """How the story's lists are read."""
    text = resources.files("adapters.demo").joinpath(PROFILE).read_text(encoding="utf-8")
    return profile_from_toml(text, source=PROFILE)
