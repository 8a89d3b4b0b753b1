"""`outlet approve`, `refuse` and `settle`: what only people decide, by name and with a reason."""

from collections.abc import Callable
from typing import Annotated

import typer

from adapters.cli.common import JsonOption, ModeOption, district_named, fail, platform_of, print_json
from adapters.cli.looks import say
from domain.event import Event
from domain.events import WarningReleased
from domain.messages import Mode
from domain.outlet import Command, SettleConflict
from domain.policy import Policy
from domain.release import Approve, Refuse, ReleaseCommand

CommandFor = Callable[[str], Command | ReleaseCommand]
"""From a hazard's code to the decision about it."""

DistrictArgument = Annotated[str, typer.Argument(metavar="DISTRICT", help="The district, by its code or name.")]
HazardArgument = Annotated[str, typer.Argument(metavar="HAZARD", help="The hazard, by its code or one of its names.")]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides; recorded with the decision.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; recorded with the decision.")]


def approve(
    context: typer.Context,
    district: DistrictArgument,
    hazard: HazardArgument,
    *,
    by: ByOption,
    mode: ModeOption = Mode.LIVE,
    json: JsonOption = False,
) -> None:
    """Approve a held section. The same person counts once."""
    name = _given(by, "--by")
    _carry_out(context, district, hazard, mode, lambda code: Approve(code, name), json=json)


def refuse(
    context: typer.Context,
    district: DistrictArgument,
    hazard: HazardArgument,
    *,
    by: ByOption,
    reason: ReasonOption,
    mode: ModeOption = Mode.LIVE,
    json: JsonOption = False,
) -> None:
    """Refuse a held section: it stays unreleased until its level changes."""
    name, why = _given(by, "--by"), _given(reason, "--reason")
    _carry_out(context, district, hazard, mode, lambda code: Refuse(code, name, why), json=json)


def settle(
    context: typer.Context,
    district: DistrictArgument,
    hazard: HazardArgument,
    *,
    by: ByOption,
    reason: ReasonOption,
    mode: ModeOption = Mode.LIVE,
    json: JsonOption = False,
) -> None:
    """Settle a conflict between agencies after consultation (会商); the levels stay as the agencies set them."""
    name, why = _given(by, "--by"), _given(reason, "--reason")
    _carry_out(context, district, hazard, mode, lambda code: SettleConflict(code, name, why), json=json)


def _given(text: str, option: str) -> str:
    """The text without white space around it; nobody and nothing are no answers."""
    if not text.strip():
        fail(f"{option} must not be empty", 2)
    return text.strip()


def _carry_out(
    context: typer.Context, district: str, hazard: str, mode: Mode, command_for: CommandFor, *, json: bool
) -> None:
    with platform_of(context, must_exist=True) as platform:
        place = district_named(platform.gazetteer, district)
        code = hazard_named(platform.policy, hazard)
        platform.runner.pump()  # decide on what has arrived and on what the clock has done, not on what was shown
        command = command_for(code)
        events = platform.runner.command(place.code, mode, command)
        if not events:
            fail(f"no conflict on {hazard} is open in {place.name}")
        platform.runner.pump()
    _report(place.code, code, events, json=json)


def _report(district: str, hazard: str, events: list[Event], *, json: bool) -> None:
    releases = [event.identifier for event in events if isinstance(event, WarningReleased)]
    if json:
        topics = [event.TOPIC for event in events]
        print_json({"district": district, "hazard": hazard, "events": topics, "released": releases})
        return
    say(f"recorded: {', '.join(event.TOPIC for event in events)}")
    for identifier in releases:
        say(f"released as {identifier}")


def hazard_named(policy: Policy, named: str) -> str:
    """The code of the hazard with this code or name.

    Raises:
        LookupError: the policy has none such.
    """
    for hazard in policy.hazards:
        if named == hazard.code or named.casefold() in {name.casefold() for name in hazard.names.values()}:
            return hazard.merges_into or hazard.code
    raise LookupError(f"the policy knows no hazard {named!r}")
