"""What a run has come to, in a form that two runs can be compared by: what was taken, and what is in force.

Left out are the numbers that depend on the order in which clients happened to be served: positions, revisions, times
of arrival. What an order must not change is all here.
"""

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.events import (
    ContributionRecorded,
    ContributionsChanged,
    EventParked,
    MessageAccepted,
    MessageRejected,
    OutletRevised,
    WarningReleased,
)
from domain.messages import Mode
from projections import PROJECTIONS
from projections.follow import rebuild
from tests.streams.outcomes import board_of, sections_of


@dataclass(frozen=True)
class End:
    """What a run has come to; what is not a digest or a total counts defects.

    `state` is the SHA-256 of what is in force, `taken` of what was accepted and refused, `merged` of what was recorded
    in districts: each message of each chain, where it speaks.
    """

    state: str
    taken: str
    merged: str
    accepted: int
    rejected: int
    kept: frozenset[str]
    doubled: tuple[str, ...]
    parked: int
    rebuilt_equal: bool
    sections: int


def end_of(folder: Path, digests: Collection[str]) -> End:
    """Open the outlet in this folder, let it finish, and look at everything."""
    with build(Settings(data_dir=folder)) as platform:
        platform.runner.pump()
        return end_of_platform(platform, digests)


def end_of_platform(platform: Platform, digests: Collection[str]) -> End:
    """Look at everything of an outlet that has finished; nobody else works on it."""
    once, rejected, parked = _counted(platform)
    accepted = sorted(name for name in once if name.startswith("accepted "))
    merged = sorted(name for name in once if name.startswith("recorded "))
    sections = {f"{mode}/{district}": found for (mode, district), found in sections_of(platform).items()}
    folded = {name: [one.model_dump(mode="json") for one in found] for name, found in sorted(sections.items())}
    shown = _shown(platform)
    rebuild(platform.log, platform.tables, PROJECTIONS)
    return End(
        state=_digest([folded, shown]),
        taken=_digest([accepted, sorted(rejected)]),
        merged=_digest(merged),
        accepted=len(accepted),
        rejected=len(rejected),
        kept=frozenset(digest for digest in digests if platform.log.attachment(digest) is not None),
        doubled=tuple(name for name, times in once.items() if times > 1),
        parked=parked,
        rebuilt_equal=_shown(platform) == shown,
        sections=sum(len(found) for found in sections.values()),
    )


def _counted(platform: Platform) -> tuple[Counter[str], set[str], int]:
    """How often each thing happened that may happen once, refused bytes, and how much was parked.

    Refused bytes that come again are refused again, which is no effect; but one record of Kafka's is refused once.
    """
    once: Counter[str] = Counter()
    rejected: set[str] = set()
    parked = 0
    for recorded in platform.log.read():
        match recorded.event:
            case MessageAccepted() as event:
                message = event.message
                key = f"{event.agency} {message.sender},{message.identifier},{message.sent.isoformat()}"
                once[f"accepted {key}"] += 1
            case ContributionsChanged() as event:
                once[f"changed {event.agency} {event.mode} {event.chain} {event.message}"] += 1
            case ContributionRecorded() as event:
                said = event.contribution
                once[f"recorded {event.mode} {event.district} {said.agency} {said.chain} {said.message}"] += 1
            case OutletRevised() as event:
                once[f"revised {event.mode} {event.district} {event.warning_id} {event.revision}"] += 1
            case WarningReleased() as event:
                once[f"released {event.mode} {event.identifier}"] += 1
            case MessageRejected() as event:
                rejected.add(event.raw_sha256)
                if event.source.startswith("kafka:"):
                    once[f"rejected {event.source}"] += 1
            case EventParked():
                parked += 1
    return once, rejected, parked


def _shown(platform: Platform) -> dict[str, object]:
    moment = platform.clock.now()
    return {mode.value: board_of(platform, mode, moment) for mode in Mode}


def _digest(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()
