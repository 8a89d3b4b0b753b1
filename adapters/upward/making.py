"""Targets made from the entries of `connections.toml`, and what is recorded when the courier gives something up."""

from collections.abc import Mapping
from pathlib import Path

from adapters.connections import OutboundDefinition
from adapters.net.client import OutboundClient, Reach
from adapters.push.target import Parcel, Target
from adapters.upward.answers import MOST_BYTES
from adapters.upward.definition import ParentDefinition, Way
from adapters.upward.records import House
from adapters.upward.targets import FolderTarget, HttpTarget, ParentTarget
from domain.events import WarningReleased
from domain.passing_up import Reason


def client_for(parent: ParentDefinition, outbound: OutboundDefinition) -> OutboundClient:
    """A client that reaches this parent's host and no other."""
    reach = Reach(hosts=frozenset({parent.host}), networks=tuple(outbound.networks), plain_http=outbound.plain_http)
    return OutboundClient(reach, most_answer_bytes=MOST_BYTES)


def target_of(house: House, parent: ParentDefinition, outbound: OutboundDefinition, data_dir: Path) -> ParentTarget:
    """The parent as a target of the courier."""
    if parent.by is Way.HTTP:
        return HttpTarget(house, parent, data_dir, client_for(parent, outbound))
    return FolderTarget(house, parent, data_dir)


def parcel_at(house: House, position: int) -> Parcel:
    """The release at a position of the log.

    Raises:
        LookupError: there is none.
    """
    recorded = next(house.log.read(after=position - 1, limit=1), None)
    if recorded is None or recorded.position != position or not isinstance(recorded.event, WarningReleased):
        raise LookupError(f"there is no release at position {position}")
    return Parcel(position, recorded.event)


class ParentEvents:
    """The courier's decisions about parents, recorded."""

    def __init__(self, targets: Mapping[str, ParentTarget]) -> None:
        """`targets` by their ids."""
        self._targets = targets

    def failing_too_long(self, target: Target, parcel: Parcel, reason: str) -> None:
        """The patience has ended."""
        self._targets[target.id].records.failed(parcel.position, Reason.PATIENCE_ENDED, reason, final=True)

    def given_up(self, target: Target, parcel: Parcel, reason: str) -> None:
        """One release has no way to the parent."""
        self._targets[target.id].records.failed(parcel.position, Reason.NO_DOCUMENT, reason, final=True)

    def gone(self, target: Target, reason: str) -> None:
        """The parent wants nothing any more; no release is the cause."""
        self._targets[target.id].records.failed(0, Reason.GONE, reason, final=True)
