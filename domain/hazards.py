"""Hazards as policy and catalogue define them, and how a message's own words lead to one.

The catalogue itself (China's national eventType codes, or another country's) is data and comes from outside;
nothing here knows a particular hazard.
"""

from collections.abc import Iterable, Mapping

from pydantic import Field

from domain.levels import Level
from domain.messages import Info
from domain.values import Language, Value


class HazardDefinition(Value):
    """One hazard of the outlet.

    `code` is its key everywhere; `names` by language; `events` and `event_codes` are the words and coded values
    (code system -> values) by which senders name it; `levels` the colours it uses (all when empty);
    `published_from` the lowest level that is published; `merges_into` the hazard whose section it joins.
    """

    code: str
    names: Mapping[Language, str]
    category: str = "Met"
    events: tuple[str, ...] = ()
    event_codes: Mapping[str, tuple[str, ...]] = {}
    levels: tuple[Level, ...] = ()
    published_from: Level | None = None
    default_expiry_hours: float | None = Field(default=None, gt=0)
    merges_into: str | None = None

    def name(self, language: Language) -> str:
        """The name in this language, else in the first one given, else the code."""
        return self.names.get(language) or next(iter(self.names.values()), self.code)


class HazardIndex:
    """Finds the hazard that an info speaks of: by coded value, then by code as event, then by the event's words."""

    def __init__(self, hazards: Iterable[HazardDefinition]) -> None:
        """Index the definitions; where two name the same word or coded value, the earlier one has it."""
        self._by_code = {hazard.code: hazard for hazard in hazards}
        self._by_event_code: dict[tuple[str, str], HazardDefinition] = {}
        self._by_event: dict[str, HazardDefinition] = {}
        for hazard in self._by_code.values():
            for system, values in hazard.event_codes.items():
                for value in values:
                    self._by_event_code.setdefault((system, value), hazard)
            for words in (*hazard.events, *hazard.names.values()):
                self._by_event.setdefault(_folded(words), hazard)

    def get(self, code: str) -> HazardDefinition | None:
        """The definition with this code."""
        return self._by_code.get(code)

    def of(self, info: Info) -> HazardDefinition | None:
        """The hazard an info speaks of, or None when the policy knows none of its words."""
        for coded in info.event_codes:
            found = self._by_event_code.get((coded.name, coded.value)) or self._by_code.get(coded.value)
            if found is not None:
                return found
        return self._by_code.get(info.event) or self._by_event.get(_folded(info.event))


def _folded(words: str) -> str:
    """Words compared without case and with white space collapsed."""
    return " ".join(words.split()).casefold()
