"""From `connections.toml` to routes: what belongs together, what does not, and where requests may go."""

from pathlib import Path

import pytest

from adapters.channels.port import Accepted, Later, Letter, Outcome
from adapters.connections import ConnectionsError, OutboundDefinition, parse_connections
from adapters.net.addresses import Network
from adapters.sending.routes import callback_receivers, routes_of
from domain.recipients import ChannelKind
from tests.adapters.channels.gateway_house import CALLED_BY, LOOPBACK, SECRET, accepts, base_of, letter, opened, run
from tests.adapters.webhooks.receivers import receiving

MOBILE, TELECOM = "+8613800000001", "+8613300000001"


def to(address: str, number: int = 1) -> Letter:
    return letter(number, address=address)


ROUTES = """
[[channels]]
id = "sms"
kind = "carriers"
default = ["cloud"]
[channels.carriers]
china-mobile = ["mobile", "cloud"]

[[channels]]
id = "mobile"
kind = "gateway"
profile = "plain-json"
url = "{url}/mobile"
secret_file = "secret"
callback_secret_file = "callback"

[[channels]]
id = "cloud"
kind = "gateway"
profile = "plain-json"
url = "{url}/cloud"
secret_file = "secret"
callback_secret_file = "callback"
"""
OWN: tuple[Network, ...] = LOOPBACK.networks


def write_secrets(folder: Path) -> None:
    (folder / "secret").write_text(SECRET, encoding="ascii")
    (folder / "callback").write_text(CALLED_BY, encoding="ascii")


def test_from_the_document_to_a_letter_at_the_carriers_gateway(tmp_path: Path) -> None:
    write_secrets(tmp_path)

    async def play(url: str) -> list[Outcome]:
        document = parse_connections(ROUTES.replace("{url}", url))
        [route] = routes_of(document.channels, tmp_path, OutboundDefinition(networks=OWN))
        assert sorted(callback_receivers([route])) == ["cloud", "mobile"], "parts are called back by their own names"
        async with opened(route.channel) as channel:
            return [await channel.send(to(MOBILE, 1)), await channel.send(to(TELECOM, 2))]

    with receiving(accepts) as gateway:
        assert run(play(base_of(gateway))) == [Accepted("mobile:gw-7-1"), Accepted("cloud:gw-7-2")]
    assert [one.path for one in gateway.taken] == ["/mobile/messages", "/cloud/messages"]


def test_without_a_network_that_is_allowed_nothing_on_the_own_machine_is_reached(tmp_path: Path) -> None:
    write_secrets(tmp_path)

    async def play(url: str) -> Outcome:
        [route] = routes_of(parse_connections(ROUTES.replace("{url}", url)).channels, tmp_path)
        async with opened(route.channel) as channel:
            return await channel.send(to(MOBILE))

    with receiving(accepts) as gateway:
        found = run(play(base_of(gateway)))
    assert isinstance(found, Later)
    assert found.is_route_down
    assert gateway.taken == []


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('default = ["cloud"]', 'default = ["clout"]', "channels.sms: there is no channel clout"),
        ("china-mobile", "china-mobil", "channels.sms: carriers: china-mobil is no carrier's name"),
        ('default = ["cloud"]', 'default = ["cloud"]\nmode = "drill"', "cloud is for live, and this is for drill"),
        ('id = "cloud"\n', 'id = "cloud"\nserves = "voice"\n', "of different kinds: sms, voice"),
        ('profile = "plain-json"', 'profile = "plain"', "channels.mobile: profile: there is no 'plain'"),
        (
            "[[channels]]",
            '[[channels]]\nid = "other"\nkind = "carriers"\ndefault = ["cloud"]\n[[channels]]',
            "cloud is part of other already",
        ),
        (
            "[[channels]]",
            '[[channels]]\nid = "other"\nkind = "carriers"\ndefault = ["sms"]\n[[channels]]',
            "channels.other: sms is of kind carriers itself",
        ),
    ],
)
def test_routes_that_do_not_fit_together_are_told_at_the_start(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    write_secrets(tmp_path)
    text = ROUTES.replace("{url}", "https://gateway.example").replace(before, after, 1)
    with pytest.raises(ConnectionsError, match=problem):
        routes_of(parse_connections(text).channels, tmp_path)


def test_a_screen_is_a_route_of_its_own_and_nobody_without_routes_is_called_back(tmp_path: Path) -> None:
    (tmp_path / "screens").write_text("whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=", encoding="ascii")
    text = '[[channels]]\nid = "wall"\nkind = "screen"\nurl = "https://s.example"\nsecret_file = "screens"\n'
    [found] = routes_of(parse_connections(text).channels, tmp_path)
    assert (found.channel.name, found.channel.kind) == ("wall", ChannelKind.SCREEN)
    assert callback_receivers([found]) == {}
    assert callback_receivers([]) == {}
    assert routes_of((), tmp_path) == []
