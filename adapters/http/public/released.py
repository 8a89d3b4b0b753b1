"""A release as the public sees it, under the policy that it was released with: its JSON, and what of it is in force.

A release never changes, so what is made of it here is made once and kept.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from msgspec.json import encode

from adapters.http.public.source import Outlet
from adapters.policies import catalogues
from domain.events import PolicyAdopted, WarningReleased
from domain.messages import Mode
from domain.policy import Policy, PolicyError, parse_policy
from domain.sections import Change, Section
from projections.board import hazard_json, section_json, sections_in_force
from streams.adoption import POLICY_STREAM

KEPT = 4_096
"""Releases held in memory with what was made of them."""


@dataclass(frozen=True)
class PublicRelease:
    """One live release: where it is in the log, what it said, and its district's name."""

    position: int
    event: WarningReleased
    policy: Policy
    name: str

    @property
    def path(self) -> str:
        """Where this API has it."""
        return f"/v1/warnings/{self.event.warning_id}/revisions/{self.event.number}"

    @property
    def released_at(self) -> str:
        """When it became public, in the outlet's zone."""
        return self.event.at.astimezone(self.policy.zone).isoformat()

    @cached_property
    def first_expiry(self) -> datetime | None:
        """When the first of its statements ends; None when nothing in it ends by the clock."""
        ends = [one.expires for section in self.event.sections for one in section.contributors if one.expires]
        return min(ends, default=None)

    def sections_at(self, at: datetime) -> tuple[Section, ...]:
        """What of it is in force: a statement that has ended is left out, whether or not that was recorded yet."""
        if self.first_expiry is None or at < self.first_expiry:
            return self.event.sections
        return sections_in_force(self.event.sections, policy=self.policy, at=at)

    def properties(self, sections: Sequence[Section]) -> dict[str, Any]:
        """The board's JSON of these sections, with what identifies the release."""
        level = max((section.level for section in sections), default=None)
        return {
            "code": self.event.district,
            "name": self.name,
            "warning_id": self.event.warning_id,
            "revision": self.event.revision,
            "release": self.event.number,
            "released_at": self.released_at,
            "identifier": self.event.identifier,
            "message_type": self.event.message_type.value,
            "level": None if level is None else level.value,
            "sections": [public_section(section, self.policy) for section in sections],
            "links": links_of(self.path),
        }

    @cached_property
    def whole(self) -> bytes:
        """The properties as JSON while all of it is in force."""
        return encode(self.properties(self.event.sections))

    def summary(self) -> dict[str, Any]:
        """What a list of releases says of it."""
        said = self.properties(())
        level = max((section.level for section in self.event.sections), default=None)
        del said["sections"]
        return {**said, "level": None if level is None else level.value, "changes": self._changes()}

    def document(self) -> dict[str, Any]:
        """The release whole, as it went out; expiry is not tested in it, for it does not change."""
        texts = [text.model_dump(mode="json") for text in self.event.texts]
        return {
            **self.properties(self.event.sections),
            "sender": self.event.sender,
            "references": list(self.event.references),
            "cause": self.event.cause,
            "changes": self._changes(),
            "texts": texts,
        }

    def _changes(self) -> list[dict[str, Any]]:
        return [self._change(change) for change in self.event.changes]

    def _change(self, change: Change) -> dict[str, Any]:
        return {
            "hazard": hazard_json(change.hazard, self.policy),
            "kind": change.kind.value,
            "before": None if change.before is None else change.before.value,
            "after": None if change.after is None else change.after.value,
            "areas": list(change.areas),
        }


def links_of(path: str) -> dict[str, str]:
    """Where a release's forms are."""
    return {"json": path, "cap": f"{path}.cap", "cn12379": f"{path}.12379.zip"}


def public_section(section: Section, policy: Policy) -> dict[str, Any]:
    """The board's JSON of a section; of a settled conflict only that it is, for who settled it is the house's."""
    said = section_json(section, policy)
    conflict = section.conflict
    if conflict is not None:
        levels = {agency: level.value for agency, level in conflict.levels.items()}
        said["conflict"] = {"areas": list(conflict.areas), "levels": levels, "is_open": conflict.is_open}
    return said


class Archive:
    """Gives releases by their position, each built once. Safe from many threads."""

    def __init__(self, outlet: Outlet) -> None:
        """Read from this platform's log."""
        self._outlet = outlet
        self._policies = Policies(outlet)
        self._names: Mapping[str, str] = {area.code: area.name for area in outlet.gazetteer.districts()}
        self.at = lru_cache(maxsize=KEPT)(self._load)

    def _load(self, position: int) -> PublicRelease:
        """The release at a position that the index gave.

        Raises:
            LookupError: there is no live release.
        """
        recorded = next(iter(self._outlet.log.read(after=position - 1, limit=1)), None)
        if recorded is None or recorded.position != position or not isinstance(recorded.event, WarningReleased):
            raise LookupError(f"the log has no release at position {position}; rebuild the projections")
        if recorded.event.mode is not Mode.LIVE:
            raise LookupError(f"the release at position {position} is a drill's, and never public")
        event = recorded.event
        return PublicRelease(
            position, event, self._policies.at(position), self._names.get(event.district, event.district)
        )


class Policies:
    """The policy that was in force at a position: a release keeps the words of its own time."""

    def __init__(self, outlet: Outlet) -> None:
        """Look into this platform's log."""
        self._outlet = outlet
        self._parsed = lru_cache(maxsize=16)(self._parse)
        self._adopted: tuple[list[int], list[str]] = ([], [])

    def at(self, position: int) -> Policy:
        """The policy adopted last before a position; today's where that one can no longer be read."""
        positions, texts = self._adopted
        for recorded in self._outlet.log.stream(POLICY_STREAM, after_version=len(positions)):
            if isinstance(recorded.event, PolicyAdopted):
                # A new pair each time: other threads read the old one to its end.
                positions, texts = [*positions, recorded.position], [*texts, recorded.event.text]
                self._adopted = (positions, texts)
        place = bisect_right(positions, position)
        return self._parsed(texts[place - 1]) if place else self._outlet.policy

    def _parse(self, text: str) -> Policy:
        try:
            return parse_policy(text, catalogues())
        except PolicyError:
            return self._outlet.policy
