"""An outlet under the made-up policy, a web site on loopback, and looks at its feeds."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from adapters.clocks import ManualClock
from adapters.pollers.assembly import Surroundings, prepare, source_of
from adapters.pollers.definition import FeedDefinition, FeedKind
from adapters.pollers.looks import FeedError, Look, failed
from adapters.pollers.store import FILE_NAME, FeedStore
from adapters.pollers.taking import Intake
from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.edge_events import FeedFellSilent, FeedHeardAgain
from domain.event import Event
from domain.events import DuplicateArrived, MessageAccepted, MessageRejected
from domain.outlet import stream_id_of
from projections.board import DISTRICTS, REVISIONS
from tests.adapters.cli.samples import LIST_PROFILE, SENT, write_policy
from tests.adapters.pollers.site import Site, serving

LOOPBACK = ip_network("127.0.0.0/8")

PAGED_PROFILE = LIST_PROFILE.replace(
    '[envelope]\nshape = "lines"\n', '[envelope]\nshape = "list"\nitems = "data.list"\nexpects = { code = 0 }\n'
).replace('spans = "listed"\n', "")


@dataclass
class World:
    folder: Path
    platform: Platform
    clock: ManualClock
    site: Site
    store: FeedStore

    @property
    def around(self) -> Surroundings:
        return Surroundings(self.folder, self.platform.policy, networks=(LOOPBACK,), plain_http=True)

    def cap_feed(self, path: str = "/feed", **more: Any) -> FeedDefinition:
        described = {"id": "met", "kind": "cap-feed", "agency": "weather", "url": self.site.url(path)}
        return FeedDefinition.model_validate({**described, **more})

    def list_feed(self, path: str = "/list", **more: Any) -> FeedDefinition:
        described = {"id": "board", "kind": "list", "profile": "profile.toml"}
        if "urls" not in more:
            described["url"] = self.site.url(path)
        return FeedDefinition.model_validate({**described, **more})

    def look(
        self, definition: FeedDefinition, *, times: int = 1, between: Callable[[], None] = lambda: None
    ) -> list[Look]:
        """Look at the feed so many times, as one process would; then take everything through the stages."""
        [prepared] = prepare([definition], self.around)

        async def looks() -> list[Look]:
            client = None if definition.kind is FeedKind.FOLDER else prepared.client(self.around)
            intake = Intake(self.platform.runner, self.platform.clock, self.platform.policy.sha256)
            source = source_of(prepared, client, self.store, intake, self.platform.policy)
            found: list[Look] = []
            for number in range(times):
                if number:
                    between()
                try:
                    found.append(await source.look())
                except FeedError as error:
                    found.append(failed(error))
            if client is not None:
                await client.close()
            return found

        found = asyncio.run(looks())
        self.platform.runner.pump()
        return found

    def one_look(self, definition: FeedDefinition) -> Look:
        return self.look(definition)[0]

    def events(self, *kinds: type[Event]) -> Sequence[Any]:
        return [recorded.event for recorded in self.platform.log.read() if isinstance(recorded.event, kinds)]

    def accepted(self) -> list[str]:
        return [event.message.identifier for event in self.events(MessageAccepted)]

    def duplicates(self) -> int:
        return len(self.events(DuplicateArrived))

    def rejected(self) -> list[tuple[str, str]]:
        return [(event.source, event.findings[-1].code.value) for event in self.events(MessageRejected)]

    def alarms(self, feed: str) -> list[str]:
        stream = self.platform.log.stream(stream_id_of("feed", feed))
        kinds = {FeedFellSilent: "silent", FeedHeardAgain: "heard"}
        return [kinds[type(recorded.event)] for recorded in stream]

    def in_force(self) -> list[str]:
        """The headlines in force, over all districts."""
        self.platform.project()
        found: list[str] = []
        for district in self.platform.tables.select(DISTRICTS):
            rows = self.platform.tables.select(REVISIONS, order=("-position",))
            newest = next(row for row in rows if (row.district, row.mode) == (district.district, district.mode))
            for section in json.loads(newest.sections):
                found += [wording["headline"] for wording in _wordings(section)]
        return sorted(found)


def _wordings(section: Any) -> list[Any]:
    if isinstance(section, dict):
        if "headline" in section:
            return [section]
        return [found for value in section.values() for found in _wordings(value)]
    if isinstance(section, list):
        return [found for value in section for found in _wordings(value)]
    return []


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as made:
        yield made


@pytest.fixture
def world(tmp_path: Path, site: Site) -> Iterator[World]:
    folder = tmp_path / "data"
    policy = write_policy(tmp_path / "policy")
    clock = ManualClock(SENT + timedelta(minutes=5))
    folder.mkdir()
    (folder / "profile.toml").write_text(PAGED_PROFILE, encoding="utf-8")
    with (
        build(Settings(data_dir=folder, policy=str(policy)), clock=clock) as platform,
        FeedStore(folder / FILE_NAME) as store,
    ):
        yield World(folder, platform, clock, site, store)
