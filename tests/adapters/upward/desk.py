"""A platform with something released, and the parents it is handed to."""

import asyncio
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from adapters.clocks import ManualClock
from adapters.connections import OutboundDefinition
from adapters.push.target import Outcome, Parcel
from adapters.settings import Settings
from adapters.upward.definition import ParentDefinition
from adapters.upward.making import target_of
from adapters.upward.targets import ParentTarget
from adapters.wiring import Platform, build
from domain.events import WarningReleased
from streams.intake import Delivery
from streams.intake import Outcome as Taken
from tests.streams.messages import at, cap
from tests.streams.outcomes import sections_of

LOOPBACK = OutboundDefinition(networks=(ip_network("127.0.0.0/8"),), plain_http=True)


def opened(folder: Path, minutes: float = 0) -> Platform:
    """A Shaoxing platform, its clock at a minute."""
    return build(Settings(data_dir=folder, policy="shaoxing"), clock=ManualClock(at(minutes)))


def deliver(platform: Platform, content: bytes, minutes: float) -> None:
    """Take a message in at a minute and through all stages, grouping included."""
    platform.advance(at(minutes))
    [receipt] = platform.runner.submit([Delivery(content, None, "test")])
    assert receipt.outcome is Taken.ACCEPTED, receipt
    platform.runner.pump()
    platform.advance(at(minutes + 1))


def a_chain(platform: Platform, *, district: str = "330604", cancel: bool = True) -> None:
    """An alert, an update and a cancel of one warning."""
    deliver(platform, cap(f"{district}-1", codes=(district,)), 1)
    more = [((f"{district}-1", 1.0), "Update", 5), ((f"{district}-2", 5.0), "Cancel", 9)]
    for number, (reference, kind, minutes) in enumerate(more[: 2 if cancel else 1], start=2):
        content = cap(
            f"{district}-{number}",
            kind=kind,
            level="orange",
            minutes=minutes,
            codes=(district,),
            references=(reference,),
        )
        deliver(platform, content, minutes)


def releases(platform: Platform) -> list[Parcel]:
    """Every release, in order."""
    return [Parcel(one.position, one.event) for one in platform.log.read() if isinstance(one.event, WarningReleased)]


def parent(**entry: Any) -> ParentDefinition:
    """An entry of `[[parents]]`, called `province`."""
    return ParentDefinition.model_validate({"id": "province", **entry})


def hand_over(
    platform: Platform,
    definition: ParentDefinition,
    parcels: Sequence[Parcel] | None = None,
    *,
    make: Callable[[Platform, ParentDefinition, OutboundDefinition, Path], ParentTarget] = target_of,
) -> list[Outcome]:
    """Hand releases over in order, by a target made for it, and take the outcomes as they are."""

    async def all_of_them() -> list[Outcome]:
        target = make(platform, definition, LOOPBACK, platform.settings.data_dir)
        try:
            wanted = releases(platform) if parcels is None else parcels
            return [await target.hand_over(parcel) for parcel in wanted if target.wants(parcel.release)]
        finally:
            await target.close()

    outcomes = asyncio.run(all_of_them())
    platform.project()
    return outcomes


def levels(platform: Platform) -> dict[str, dict[str, str]]:
    """What is in force: district, hazard, level."""
    return {
        key[1]: {section.hazard: section.level.value for section in sections}
        for key, sections in sections_of(platform).items()
        if sections
    }
