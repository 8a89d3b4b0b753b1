"""`outlet agency …`: keys are shown once, listed without their secrets, and disabled."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from adapters.cli.common import Globals
from adapters.clocks import SystemClock
from adapters.http.commands import commands
from adapters.http.keys import FILE_NAME, AgencyKeys, State


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.app = typer.Typer()
        self.app.add_typer(commands, name="agency")
        self.app.callback()(self._options)

    def _options(self, context: typer.Context) -> None:
        context.obj = Globals(data_dir=self.folder, policy="shaoxing")

    def __call__(self, *arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(self.app, ["agency", *arguments])
        assert result.exit_code == code, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))

    def state_of(self, key: str) -> State:
        with AgencyKeys(self.folder / FILE_NAME) as keys:
            return keys.verify(key, SystemClock().now()).state


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "data")


def test_a_new_key_works_and_is_shown_once(desk: Desk) -> None:
    [issued] = desk.json("add", "water", "--label", "flood system")["issued"]
    assert desk.state_of(issued["secret"]) is State.VALID
    listed = desk("list", "--json")
    assert issued["secret"] not in listed
    [credential] = json.loads(listed)["credentials"]
    assert (credential["agency"], credential["label"], credential["state"]) == ("water", "flood system", "valid")


def test_keys_are_exchanged_by_making_one_and_disabling_the_other(desk: Desk) -> None:
    old = desk("add", "water").splitlines()[-1]
    new = desk("key", "water", "--days", "30").splitlines()[-1]
    first = next(one["id"] for one in desk.json("list")["credentials"] if one["expires"] is None)
    desk("disable", first)
    assert (desk.state_of(old), desk.state_of(new)) == (State.DISABLED, State.VALID)


def test_all_keys_of_an_agency_are_disabled_at_once(desk: Desk) -> None:
    keys = [desk("add", "water").splitlines()[-1], desk("key", "water").splitlines()[-1]]
    desk("disable", "water", "--all")
    assert [desk.state_of(key) for key in keys] == [State.DISABLED, State.DISABLED]
    desk("disable", "water", "--all", code=1)


def test_secrets_and_certificates_are_credentials_too(desk: Desk) -> None:
    issued = desk.json("add", "water", "--signed")["issued"]
    assert [one["kind"] for one in issued] == ["key", "signing-secret"]
    assert issued[1]["secret"].startswith("whsec_")
    desk("key", "water", "--secret")
    desk("key", "water", "--certificate", "AB:" * 31 + "AB")
    kinds = [one["kind"] for one in desk.json("list", "water")["credentials"]]
    assert sorted(kinds) == ["certificate", "key", "signing-secret", "signing-secret"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "nobody"), 2),
        (("key", "nobody"), 2),
        (("key", "water", "--certificate", "ab"), 2),
        (("key", "water", "--certificate", "ab", "--secret"), 2),
        (("disable", "000000000000"), 1),
    ],
)
def test_what_cannot_be_done_ends_with_its_exit_code(desk: Desk, arguments: tuple[str, ...], code: int) -> None:
    desk(*arguments, code=code)


def test_a_second_first_key_is_refused(desk: Desk) -> None:
    desk("add", "water")
    desk("add", "water", code=1)
