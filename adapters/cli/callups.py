"""`outlet callups` and `outlet callup confirm`: who was called up (叫应) and has not answered, and who was heard."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Annotated, Any

import typer

from adapters.cli.common import (
    JsonOption,
    ModeOption,
    district_named,
    district_names,
    fail,
    platform_of,
    print_json,
    reading_of,
)
from adapters.cli.looks import clock_text, level_text, print_table, say
from adapters.clocks import SystemClock
from domain.callup import CallUpError
from domain.callup_events import CallUpStep
from domain.messages import Mode
from projections.base import ReadTables
from projections.callups import Answer, PostCall, Report, call_ups, report_on
from streams.callup import confirm

commands = typer.Typer(help="Reply to call-ups for somebody who was heard by telephone.", no_args_is_help=True)


def callups(
    context: typer.Context,
    *,
    warning: Annotated[str | None, typer.Option("--warning", metavar="ID", help="One warning's alone.")] = None,
    district: Annotated[
        str | None, typer.Option("--district", metavar="DISTRICT", help="One district's alone, by its code or name.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Those who confirmed and those whose call-up is over as well.")
    ] = False,
    mode: ModeOption = Mode.LIVE,
    json: JsonOption = False,
) -> None:
    """Show who was called up and has not confirmed: since when, and what happens next."""
    with reading_of(context) as read:
        code = district_named(read.gazetteer, district).code if district is not None else None
        found = _found(read.tables, mode, warning, code, everything=everything)
        zone, now = read.policy.zone, SystemClock().now()
        warnings = sorted({call.warning_id for call in found} | ({warning} if warning is not None else set()))
        reports = [one for id_ in warnings if (one := report_on(read.tables, mode=mode, warning_id=id_)) is not None]
        if json:
            print_json(_document(found, reports, mode, now.astimezone(zone)))
            return
        _print(found, reports, district_names(read.gazetteer), now, zone, everything=everything)


def _found(
    tables: ReadTables, mode: Mode, warning: str | None, district: str | None, *, everything: bool
) -> Sequence[PostCall]:
    """All call-ups asked for; else those of every warning for which somebody is waited for, and that are not over."""
    if everything or warning is not None:
        found = call_ups(tables, mode=mode, warning_id=warning, district=district)
    else:
        waiting = call_ups(tables, mode=mode, district=district, open_only=True)
        ids = dict.fromkeys(call.warning_id for call in waiting)
        found = [call for id_ in ids for call in call_ups(tables, mode=mode, warning_id=id_)]
    return [call for call in found if everything or not call.is_over]


@commands.command("confirm")
def confirm_for(
    context: typer.Context,
    warning: Annotated[str, typer.Argument(metavar="WARNING", help="The warning, by its id.")],
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The recipient who was heard, by number.")],
    *,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who heard it; recorded with the confirmation.")],
    mode: ModeOption = Mode.LIVE,
    json: JsonOption = False,
) -> None:
    """Record that somebody confirmed by word of mouth: nobody else of their post is asked any more."""
    with platform_of(context, must_exist=True) as platform:
        platform.runner.pump()  # what was lifted meanwhile is not confirmed any more
        try:
            posts = platform.runner.act(lambda house, now: confirm(house, mode, warning, number, "officer", now, by=by))
        except CallUpError as error:
            fail(f"{error.code.value}: {error.sentence}")
        platform.runner.pump()
        at = platform.clock.now().astimezone(platform.policy.zone).isoformat()
    if json:
        print_json({"at": at, "warning_id": warning, "number": number, "by": by.strip(), "posts": posts})
    elif posts:
        say(f"confirmed: {', '.join(posts)}")
    else:
        say("confirmed before; nothing was recorded")


# --- as a table -----------------------------------------------------------------------------------------------


def _print(
    found: Sequence[PostCall],
    reports: Sequence[Report],
    names: Mapping[str, str],
    now: datetime,
    zone: tzinfo,
    *,
    everything: bool,
) -> None:
    waiting = [call for call in found if call.is_open]
    confirmed = [call for call in found if call.confirmed is not None]
    if waiting:
        columns = ("district", "post", "role", "level", "asked", "waiting s", "next", "at")
        rows = [
            (
                names.get(call.district, call.district),
                call.post,
                call.role,
                level_text(call.level),
                _asked(call),
                str(int((now - call.opened).total_seconds())),
                *_next(call, now, zone),
            )
            for call in waiting
        ]
        print_table(columns, rows)
    if everything:
        _print_done([call for call in found if not call.is_open], names, zone)
    elif confirmed:
        say(f"{len(confirmed)} of {len(found)} posts have confirmed, {_fastest(confirmed)}")
    for report in reports:
        say(
            f"report {clock_text(report.at.astimezone(zone).isoformat())}: {report.confirmed} of {report.posts} posts"
            f" of {report.warning_id} confirmed, {report.reported} reported"
        )
    if not waiting:
        say("nobody is waited for")


def _print_done(calls: Sequence[PostCall], names: Mapping[str, str], zone: tzinfo) -> None:
    if not calls:
        return
    columns = ("district", "post", "role", "round", "level", "confirmed after s", "by", "how", "answers", "ended")
    rows = [
        (
            names.get(call.district, call.district),
            call.post,
            call.role,
            str(call.round),
            level_text(call.level),
            "" if call.confirmed is None else f"{(call.confirmed.at - call.opened).total_seconds():.0f}",
            "" if call.confirmed is None else str(call.confirmed.number),
            "" if call.confirmed is None else call.confirmed.how,
            str(len(call.answers)),
            "" if call.ended is None or call.ended_at is None else f"{call.ended.value} {_time(call.ended_at, zone)}",
        )
        for call in calls
    ]
    print_table(columns, rows)


def _asked(call: PostCall) -> str:
    """Who was asked, in turn, and who of them by telephone as well."""
    called = {step.number for step in call.steps if step.step is CallUpStep.CALLED}
    return ", ".join(f"{number} (telephoned)" if number in called else str(number) for number in call.asked)


def _next(call: PostCall, now: datetime, zone: tzinfo) -> tuple[str, str]:
    """What happens next, and when."""
    if call.next_step is not None and call.next_step > now:
        following = [number for number in call.numbers if number not in call.asked][:1]
        return (f"telephone, ask {following[0]}" if following else "telephone"), _time(call.next_step, zone)
    if call.questions_due is not None and call.questions_due > now:
        return "questions due", _time(call.questions_due, zone)
    return "nothing more", ""


def _time(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).isoformat()


def _fastest(confirmed: Sequence[PostCall]) -> str:
    seconds = sorted((call.confirmed.at - call.opened).total_seconds() for call in confirmed if call.confirmed)
    return f"the first after {seconds[0]:.0f} s, the last after {seconds[-1]:.0f} s"


# --- as JSON --------------------------------------------------------------------------------------------------


def _document(found: Sequence[PostCall], reports: Sequence[Report], mode: Mode, now: datetime) -> dict[str, Any]:
    zone = now.tzinfo
    assert zone is not None, "the moment of an answer has a zone"
    return {
        "at": now.isoformat(),
        "mode": mode.value,
        "waiting": sum(call.is_open for call in found),
        "confirmed": sum(call.confirmed is not None for call in found),
        "call_ups": [_call_json(call, zone) for call in found],
        "reports": [
            {
                "warning_id": one.warning_id,
                "district": one.district,
                "at": _time(one.at, zone),
                "rounds": one.rounds,
                "posts": one.posts,
                "confirmed": one.confirmed,
                "reported": one.reported,
                "median_seconds": one.median_seconds,
                "longest_seconds": one.longest_seconds,
                "unconfirmed": list(one.unconfirmed),
            }
            for one in reports
        ],
    }


def _call_json(call: PostCall, zone: tzinfo) -> dict[str, Any]:
    confirmed = call.confirmed
    return {
        "warning_id": call.warning_id,
        "district": call.district,
        "round": call.round,
        "post": call.post,
        "role": call.role,
        "hazards": [{"code": code, "level": level.value} for code, level in call.hazards.items()],
        "opened": _time(call.opened, zone),
        "is_waiting": call.is_open,
        "numbers": list(call.numbers),
        "steps": [{"step": s.step.value, "number": s.number, "at": _time(s.at, zone)} for s in call.steps],
        "next_step": _or_none(call.next_step, zone),
        "questions_due": _or_none(call.questions_due, zone),
        "confirmed": None
        if confirmed is None
        else {
            "number": confirmed.number,
            "how": confirmed.how,
            "by": confirmed.by,
            "at": _time(confirmed.at, zone),
            "seconds": (confirmed.at - call.opened).total_seconds(),
        },
        "answers": [_answer_json(one, zone) for one in call.answers],
        "report": [_answer_json(one, zone) for one in call.report],
        "ended": None if call.ended is None else call.ended.value,
        "ended_at": _or_none(call.ended_at, zone),
        "report_due": _or_none(call.report_due, zone),
    }


def _answer_json(one: Answer, zone: tzinfo) -> dict[str, Any]:
    return {"question": one.question, "text": one.text, "number": one.number, "at": _time(one.at, zone)}


def _or_none(moment: datetime | None, zone: tzinfo) -> str | None:
    return None if moment is None else _time(moment, zone)
