"""`outlet deliveries`, `outlet stop` and `outlet resume`: what became of messages, and the emergency stop."""

from collections import deque
from typing import Annotated, Any

import typer

from adapters.cli.common import JsonOption, ModeOption, fail, platform_of, print_json, reading_of
from adapters.cli.looks import print_table, say
from adapters.clocks import SystemClock
from adapters.sending.counting import Deliveries, deliveries_of
from adapters.sending.service import STREAM
from domain.messages import Mode
from domain.telling_events import SendingResumed, SendingStopped

ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides; recorded with the decision.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; recorded with the decision.")]


def deliveries(
    context: typer.Context,
    *,
    warning: Annotated[str | None, typer.Option("--warning", metavar="ID", help="One warning's alone.")] = None,
    number: Annotated[
        int | None, typer.Option("--number", metavar="N", min=1, help="The messages to one recipient, by number.")
    ] = None,
    mode: ModeOption = Mode.LIVE,
    json: JsonOption = False,
) -> None:
    """Show what became of messages: by plan, newest first, counted by state, channel and reason."""
    with reading_of(context) as read:
        zone = read.policy.zone
        # The log knows of a stop before any worker does.
        said = deque(read.log.stream(STREAM), maxlen=1)
        is_stopped = bool(said) and isinstance(said[0].event, SendingStopped)
        found = deliveries_of(read.settings, mode=mode, warning_id=warning, number=number)
        now = SystemClock().now().astimezone(zone)
        if json:
            document: dict[str, Any] = {
                "at": now.isoformat(),
                "mode": mode.value,
                "stopped": is_stopped,
                "not_in_the_log_yet": found.not_reported,
            }
            if found.person is None:
                document["plans"] = [plan.as_json(zone) for plan in found.plans]
            else:
                document["number"] = number
                document["messages"] = [one.as_json(zone) for one in found.person]
            print_json(document)
            return
        if is_stopped:
            say("sending is stopped: `outlet resume` goes on", style="bold red")
        if found.person is not None:
            _print_person(found)
        else:
            _print_plans(found)


def _print_plans(found: Deliveries) -> None:
    if not found.plans:
        say("nobody has been told of anything")
        return
    rows = [
        (
            str(plan.planned),
            plan.district or plan.purpose,
            plan.warning_id or plan.subject,
            str(plan.number),
            *shown,
            "" if plan.first_seconds is None else f"{plan.first_seconds:.1f}",
            "" if plan.last_seconds is None else f"{plan.last_seconds:.1f}",
        )
        for plan in found.plans
        for shown in [
            *((count.state, count.channel, count.route, count.reason, str(count.messages)) for count in plan.counts),
            *([("planned", "", "", "", str(plan.not_filled_in))] if plan.not_filled_in else []),
        ]
    ]
    columns = (
        "plan",
        "district or notice",
        "warning or subject",
        "release",
        "state",
        "channel",
        "route",
        "reason",
        "messages",
    )
    print_table((*columns, "first after s", "last after s"), rows)


def _print_person(found: Deliveries) -> None:
    if not found.person:
        say("nothing was planned for this recipient")
        return
    rows = [
        (
            str(one.planned),
            one.purpose,
            one.warning_id,
            one.state,
            one.channel,
            one.route,
            one.reason,
            "" if one.handed_at is None else one.handed_at.isoformat(),
        )
        for one in found.person
    ]
    print_table(("plan", "notice", "warning", "state", "channel", "route", "reason", "handed over"), rows)


def stop(context: typer.Context, *, by: ByOption, reason: ReasonOption, json: JsonOption = False) -> None:
    """Stop all sending at once, what is under way included; a running platform follows within seconds."""
    _record(context, by, reason, json=json, stops=True)


def resume(context: typer.Context, *, by: ByOption, reason: ReasonOption, json: JsonOption = False) -> None:
    """End the emergency stop: what has not ended meanwhile goes out."""
    _record(context, by, reason, json=json, stops=False)


def _record(context: typer.Context, by: str, reason: str, *, json: bool, stops: bool) -> None:
    name, why = by.strip(), reason.strip()
    if not name or not why:
        fail("--by and --reason must not be empty", 2)
    with platform_of(context, must_exist=True) as platform:
        now = platform.clock.now()
        kind = SendingStopped if stops else SendingResumed
        platform.runner.record(STREAM, kind(at=now, by=name, reason=why))
        at = now.astimezone(platform.policy.zone).isoformat()
    if json:
        print_json({"at": at, "stopped": stops, "by": name, "reason": why})
    else:
        say("sending is stopped: nothing is handed to any channel" if stops else "sending goes on")
