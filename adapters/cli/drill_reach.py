"""Whom a drill can reach and whom it cannot, counted before it is started."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.connections import connections_in
from adapters.sending.service import SPOOL_FOLDER
from adapters.webhooks.store import FILE_NAME as WEBHOOKS_FILE
from adapters.webhooks.store import Webhooks
from adapters.wiring import Platform
from domain.messages import Mode
from projections import rosters


@dataclass(frozen=True, slots=True)
class Reach:
    """Rosters by name, and how many are on them; `routes` and `parents` are those set up for drills."""

    rosters: tuple[str, ...]
    recipients: int
    reachable: int
    by_channel: Mapping[str, int]
    spool: Path
    routes: tuple[str, ...]
    webhooks: int
    parents: tuple[str, ...]
    live_rosters: int
    live_recipients: int

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "reaches": {
                "rosters": list(self.rosters),
                "recipients": self.recipients,
                "reachable": self.reachable,
                "by_channel": dict(self.by_channel),
                "spool": str(self.spool),
                "channels": list(self.routes),
                "webhooks": self.webhooks,
                "parents": list(self.parents),
            },
            "cannot_reach": {"rosters": self.live_rosters, "recipients": self.live_recipients, "public": True},
        }

    def sentences(self, title: str, marks: str) -> list[str]:
        """What whoever starts the drill has to read: the mode, who is reached and how, and who is not."""
        named = f" ({', '.join(self.rosters)})" if self.rosters else ""
        counted = ", ".join(f"{kind} {count}" for kind, count in self.by_channel.items())
        ways = [
            f"files in {self.spool}",
            *([f"the channels for drills: {', '.join(self.routes)}"] if self.routes else []),
        ]
        others = [
            *([f"{self.webhooks} webhook(s) for drills"] if self.webhooks else []),
            *([f"parent systems for drills: {', '.join(self.parents)}"] if self.parents else []),
        ]
        cannot = f"the {self.live_recipients} recipients of {self.live_rosters} live roster(s) and of subscriptions"
        return [
            f"DRILL, not live: {title}",
            f"reaches: {self.reachable} of {self.recipients} recipients of {len(self.rosters)} drill roster(s){named}"
            + (f": {counted}" if counted else ""),
            f"by: {' and '.join(ways)}",
            *([f"also reaches: {' and '.join(others)}"] if others else []),
            f"cannot reach: the public, its board and feeds, and {cannot}",
            f"every text of it begins and ends with {marks}",
        ]


def reach_of_a_drill(platform: Platform) -> Reach:
    """Count on the audience as the log has it now.

    Raises:
        ConnectionsError: `connections.toml` cannot be used.
    """
    folder = platform.settings.data_dir
    audience = platform.audience
    audience.follow(platform.log.head())
    drill, reachable = audience.everyone(Mode.DRILL), audience.reachable()
    known = rosters.newest(platform.tables)
    connections = connections_in(folder)
    return Reach(
        rosters=tuple(row.roster for row in known if row.mode == Mode.DRILL.value),
        recipients=len(drill),
        reachable=len(drill & reachable),
        by_channel={
            kind.value: count
            for kind, people in audience.by_channel().items()
            if (count := len(people & drill & reachable))
        },
        spool=folder / SPOOL_FOLDER / Mode.DRILL.value,
        routes=tuple(channel.id for channel in connections.channels if channel.mode is Mode.DRILL),
        webhooks=_webhooks(folder / WEBHOOKS_FILE),
        parents=tuple(parent.id for parent in connections.parents if parent.mode is Mode.DRILL),
        live_rosters=sum(1 for row in known if row.mode == Mode.LIVE.value),
        live_recipients=len(audience.everyone(Mode.LIVE)),
    )


def _webhooks(path: Path) -> int:
    if not path.is_file():
        return 0
    with Webhooks(path) as store:
        return sum(1 for one in store.all().values() if one.mode is Mode.DRILL and one.disabled is None)
