"""From an agency's message to a mailbox: roster, release, plan, outbox, worker and a real mail server."""

import asyncio
import time
from pathlib import Path

import pytest

from adapters.audience.recipients_codec import pack
from adapters.audience.table import table_of
from adapters.clocks import ManualClock
from adapters.connections import ConnectionsError, parse_connections
from adapters.sending.routes import routes_of
from adapters.sending.service import sending
from adapters.settings import Settings
from adapters.vault.vault import Contact, Person, vault_of
from adapters.wiring import Platform, build
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.recipients import ChannelKind, Recipient
from domain.telling_events import RosterImported
from streams.intake import Delivery
from tests.adapters.channels.mail_servers import Mailboxes, serving
from tests.adapters.sending.house import LIMIT_SECONDS, QUICK
from tests.streams.messages import START, cap

ROUTE = """
[[channels]]
id = "post"
kind = "mail"
host = "127.0.0.1"
port = {port}
security = "none"
sender = "outlet@shaoxing.example"
"""


def enter(platform: Platform, address: str) -> None:
    """One recipient by mail, for all of 330604."""
    with vault_of(platform.settings) as vault:
        [number] = vault.enter([Person("", (Contact(ChannelKind.EMAIL, address),))])
    recipient = Recipient(number=number, roster="duty", role="duty", areas=("330604",), channels=(ChannelKind.EMAIL,))
    [kept] = pack(table_of(Mode.LIVE, [recipient]))
    event = RosterImported(
        at=platform.clock.now(),
        roster="duty",
        mode=Mode.LIVE,
        version=1,
        recipients_sha256=kept.sha256,
        recipients=1,
        entered=1,
        changed=0,
        left=0,
        source="test",
    )
    platform.runner.record(stream_id_of("roster", "duty"), event, [kept.content])


def test_a_red_warning_is_in_the_mailbox_once_and_its_words_are_the_agencys(tmp_path: Path, url: str | None) -> None:
    boxes = Mailboxes()

    async def play() -> None:
        async with serving(boxes) as port:
            settings = Settings(data_dir=tmp_path, policy="shaoxing", database_url=url)
            with build(settings, clock=ManualClock(START)) as platform:
                enter(platform, "duty@town.example")
                routes = routes_of(parse_connections(ROUTE.format(port=port)).channels, tmp_path)
                with sending(platform, routes, pace=QUICK):
                    delivery = Delivery(content=cap("a", level="red", text="Rivers rise."), agency=None, source="test")
                    platform.runner.submit([delivery])
                    platform.runner.pump()
                    end = time.monotonic() + LIMIT_SECONDS
                    while not boxes.received and time.monotonic() < end:  # noqa: ASYNC110 -- the server has no event
                        await asyncio.sleep(0.02)
                    await asyncio.sleep(0.5)  # whatever would come twice would come now

    asyncio.run(play())
    [message] = boxes.messages
    assert boxes.recipients == ["duty@town.example"]
    body = message.get_body(("plain",))
    assert body is not None
    assert "Rivers rise." in body.get_content()


def test_a_route_whose_files_are_not_there_is_named(tmp_path: Path) -> None:
    text = ROUTE.format(port=25) + 'username = "u"\npassword_file = "none"\n'
    with pytest.raises(ConnectionsError):
        routes_of(parse_connections(text.replace('security = "none"', 'security = "tls"')).channels, tmp_path)


def test_two_routes_of_one_name_are_refused() -> None:
    with pytest.raises(ConnectionsError, match="post occurs twice"):
        parse_connections(ROUTE.format(port=25) * 2)
