"""Versions of a roster, and how two of them differ. How a file is read does not belong here."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.recipients import Recipient


class RosterModeError(Exception):
    """A roster that was made for drills is to be used for live warnings, or the other way round."""


@dataclass(frozen=True, slots=True)
class RosterDifference:
    """Who came, whose entry says something else, and who is gone, by number."""

    entered: tuple[int, ...]
    changed: tuple[int, ...]
    left: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both versions say the same."""
        return not (self.entered or self.changed or self.left)


def difference(before: Mapping[int, Recipient], after: Mapping[int, Recipient]) -> RosterDifference:
    """How a version of a roster differs from the one before."""
    return RosterDifference(
        entered=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(number for number in after.keys() & before.keys() if after[number] != before[number])),
        left=tuple(sorted(before.keys() - after.keys())),
    )
