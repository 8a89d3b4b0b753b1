"""`outlet webhook`: each command on a data directory, beside a running courier where that matters."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.app import app
from tests.adapters.http.public.samples import NORTH, SOUTH
from tests.adapters.webhooks.conftest import House
from tests.adapters.webhooks.receivers import Reply, receiving, wait_until

OWN_NETWORKS = '[outbound]\nnetworks = ["127.0.0.0/8"]\n'


class Command:
    """The command line on a house's data directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        whole = ["--data", str(self.folder), "webhook", *arguments]
        result = CliRunner().invoke(app, whole, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self(*arguments, "--json", code=code).stdout)
        return found

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("list")["webhooks"]
        return found


@pytest.fixture
def command(house: House) -> Command:
    (house.folder / "connections.toml").write_text(OWN_NETWORKS, encoding="utf-8")
    return Command(house.folder)


def test_an_added_webhook_is_served_by_a_running_courier_and_its_secret_is_shown_once(
    house: House, command: Command
) -> None:
    with receiving() as receiver, house.serving():
        added = command.json("add", receiver.url, "--district", "North", "--hazard", "11B03", "--level-min", "blue")
        assert added["secret"].startswith("whsec_")
        assert (added["districts"], added["level_min"], added["mode"]) == ([NORTH], "blue", "live")
        house.release(NORTH)
        house.release(SOUTH)
        [taken] = receiver.wait_for(1)
        assert taken.is_signed_with(added["secret"])
        wait_until(lambda: command.listed()[0]["behind"] == 0 and command.listed()[0]["delivered"] == 1)
    [listed] = command.listed()
    assert "secret" not in listed
    assert listed["position"] == listed["head"]
    assert listed["last_success"] is not None
    assert "whsec_" not in command("list").stdout
    assert added["id"] in command("list").stdout


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/x", None),
        ("https://169.254.169.254/latest/meta-data", "forbidden-address"),
        ("https://[::ffff:10.0.0.1]/", "forbidden-address"),
        ("http://93.184.215.14/", "scheme"),
        ("ftp://example.com/", "url"),
        ("https://user:secret@example.com/", "url"),
        ("https://no-such-name.invalid/", "unresolved"),
        ("https://2130706433/", "url"),
    ],
)
def test_an_address_that_may_not_be_reached_is_refused_at_once(command: Command, url: str, reason: str | None) -> None:
    result = command("add", url, code=0 if reason is None else 1)
    if reason is not None:
        assert reason in result.stderr
        assert "secret" not in result.stderr
        assert command.listed() == []


def test_wrong_filters_and_positions_are_said(command: Command) -> None:
    url = "https://127.0.0.1/x"
    assert "no district" in command("add", url, "--district", "Nowhere", code=1).stderr
    assert "no hazard" in command("add", url, "--hazard", "nothing", code=1).stderr
    assert "levels are" in command("add", url, "--level-min", "purple", code=2).stderr
    assert "beyond the log's end" in command("add", url, "--from", "1000000", code=2).stderr
    for name in ("test", "enable", "disable", "rotate"):
        assert "there is no webhook" in command(name, "wh_none", code=1).stderr
    assert "there is no webhook" in command("replay", "wh_none", "--from", "0", code=1).stderr
    assert command.listed() == []


def test_a_test_is_signed_and_its_answer_shown(command: Command) -> None:
    with receiving(lambda _request, count: Reply() if count == 0 else Reply(status=302)) as receiver:
        added = command.json("add", receiver.url)
        assert command.json("test", added["id"])["status"] == 204
        refused = command("test", added["id"], code=1)
        assert "302: redirects are not followed" in refused.stderr
    [first, second] = receiver.taken
    assert first.document["type"] == "webhook.test"
    assert first.is_signed_with(added["secret"])
    assert first.id != second.id
    told = command.json("test", added["id"], code=1)
    assert told["status"] is None
    assert told["problem"].startswith("unreachable: ")


def test_disable_enable_replay_and_rotate_reach_a_running_courier(house: House, command: Command) -> None:
    with receiving() as receiver, house.serving():
        identifier = command.json("add", receiver.url)["id"]
        house.release(NORTH)
        receiver.wait_for(1)
        wait_until(lambda: command.listed()[0]["delivered"] == 1)
        assert command.json("disable", identifier)["state"] == "disabled"
        house.release(SOUTH)
        assert [(one["behind"], one["reason"]) for one in command.listed()] == [(1, "by hand")]
        assert len(receiver.taken) == 1
        assert command.json("enable", identifier)["state"] == "enabled"
        receiver.wait_for(2)
        command("replay", identifier, "--from", "0")
        ids = [one.id for one in receiver.wait_for(4)]
        assert ids[:2] == ids[2:]
        secret = command.json("rotate", identifier)["secret"]
        house.release(NORTH, level="orange")
        assert receiver.wait_for(5)[-1].is_signed_with(secret)


def test_from_the_beginning_of_the_log(house: House, command: Command) -> None:
    house.release(NORTH)
    house.release(SOUTH, drill=True)
    with receiving() as receiver:
        live = command.json("add", receiver.url, "--from", "0")
        drill = command.json("add", receiver.url, "--from", "0", "--drill")
        assert (live["behind"], drill["behind"]) == (1, 1)
        with house.serving():
            receiver.wait_for(2)
    assert sorted(one.document["data"]["mode"] for one in receiver.taken) == ["drill", "live"]
