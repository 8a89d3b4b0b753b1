"""`outlet assess`: what people say of a month's warnings afterwards, and of what no warning came before."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, NoReturn

import typer
from msgspec.json import decode

from adapters.cli.common import USAGE, JsonOption, district_named, fail, platform_of, print_json, reading_of
from adapters.cli.duty import hazard_named
from adapters.cli.looks import print_table, say
from adapters.wiring import Platform
from domain.assessment import (
    AssessmentCode,
    AssessmentError,
    ReleasedWarning,
    assessment_stream,
    event_was_missed,
    warning_was,
)
from domain.assessment_events import WarningAssessed
from domain.levels import Level
from domain.messages import Mode
from domain.policy import Policy
from projections.history import find_warning
from projections.monthly.assessments import Assessments
from projections.monthly_report import assessments_of
from projections.releases import releases
from streams.house import House


class Verdict(StrEnum):
    """What became of a warning."""

    HIT = "hit"
    FALSE = "false"


def assess(
    context: typer.Context,
    warning: Annotated[
        str | None, typer.Argument(metavar="[WARNING]", help="A warning's id, or the beginning of one.")
    ] = None,
    *,
    verdict: Annotated[Verdict | None, typer.Option("--verdict", help="Whether what it warned of came.")] = None,
    missed: Annotated[bool, typer.Option("--missed", help="Something happened that no warning came before.")] = False,
    hazard: Annotated[
        list[str] | None,
        typer.Option("--hazard", metavar="CODE", help="Of the warning, this hazard alone; or what was missed."),
    ] = None,
    district: Annotated[str | None, typer.Option("--district", metavar="CODE", help="Where it was missed.")] = None,
    happened: Annotated[
        str | None, typer.Option("--happened", metavar="TIME", help="When it happened, in ISO 8601.")
    ] = None,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so; recorded with it.")] = "",
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What is known of it.")] = "",
    shown: Annotated[bool, typer.Option("--list", help="List a month's warnings with their verdicts.")] = False,
    month: Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="The month to list.")] = None,
    json: JsonOption = False,
) -> None:
    """Record whether a warning was right, or that one was missed. All verdicts are kept; the last one counts."""
    hazards = hazard or []
    if shown:
        if month is None:
            fail("--list needs --month YYYY-MM", USAGE)
        _list(context, month, json=json)
        return
    if not by.strip():
        fail("--by must not be empty", USAGE)
    with platform_of(context, must_exist=True) as platform:
        try:
            if missed and warning is None and verdict is None:
                recorded = [_missed(platform, district, hazards, happened, by.strip(), note.strip())]
            elif warning is not None and verdict is not None and not (missed or district or happened):
                said: Literal["hit", "false"] = "hit" if verdict is Verdict.HIT else "false"
                recorded = _judged(platform, warning, said, hazards, by.strip(), note.strip())
            else:
                fail("give WARNING and --verdict, or --missed with --district, --hazard and --happened", USAGE)
        except AssessmentError as error:
            _refused(error, json=json)
        _record(platform, recorded)
        documents = [_document(event, platform.policy) for event in recorded]
    if json:
        print_json({"recorded": documents})
    else:
        for one in documents:
            say(f"recorded: {one['verdict']}, {one['district']}, {one['hazard']}")


def _record(platform: Platform, events: list[WarningAssessed]) -> None:
    """Store what was said, all of it or nothing."""

    def add(house: House, _: datetime) -> None:
        for event in events:
            house.ledger.add_to_stream(assessment_stream(event.district), event)

    platform.runner.act(add)


def _refused(error: AssessmentError, *, json: bool) -> NoReturn:
    if json:
        print_json({"recorded": [], "refused": {"code": error.code.value, "sentence": str(error)}})
    fail(f"{error} [{error.code.value}]")


def _judged(
    platform: Platform, wanted: str, verdict: Literal["hit", "false"], hazards: list[str], by: str, note: str
) -> list[WarningAssessed]:
    """The events of a verdict on a warning.

    Raises:
        AssessmentError: there is no such warning, or it never spoke of one of the hazards.
    """
    try:
        warning_id = find_warning(platform.tables, wanted, mode=Mode.LIVE)
    except LookupError as error:
        raise AssessmentError(AssessmentCode.UNKNOWN_WARNING, str(error.args[0])) from error
    known = releases(platform.tables, warning_id=warning_id, mode=Mode.LIVE)
    levels: dict[str, Level] = {}
    for release in known:
        for change in decode(release.row.changes):
            said = [Level(level) for level in (change.get("before"), change.get("after")) if level]
            levels[change["hazard"]] = max([*said, *([levels[change["hazard"]]] if change["hazard"] in levels else [])])
    found = ReleasedWarning(warning_id, known[0].row.district if known else "", levels)
    codes = [_hazard(platform.policy, hazard) for hazard in hazards]
    return warning_was(verdict, found, hazards=codes, by=by, note=note, now=platform.clock.now())


def _missed(
    platform: Platform, district: str | None, hazards: list[str], happened: str | None, by: str, note: str
) -> WarningAssessed:
    """The event of something that no warning came before.

    Raises:
        AssessmentError: the district or the hazard is not known, or it has not happened yet.
    """
    if district is None or len(hazards) != 1 or happened is None:
        fail("--missed needs --district, one --hazard and --happened", USAGE)
    try:
        place = district_named(platform.gazetteer, district).code
    except LookupError as error:
        raise AssessmentError(AssessmentCode.UNKNOWN_DISTRICT, str(error.args[0])) from error
    return event_was_missed(
        district=place,
        hazard=_hazard(platform.policy, hazards[0]),
        happened=_moment(happened, platform.policy),
        by=by,
        note=note,
        now=platform.clock.now(),
    )


def _hazard(policy: Policy, named: str) -> str:
    try:
        return hazard_named(policy, named)
    except LookupError as error:
        raise AssessmentError(AssessmentCode.UNKNOWN_HAZARD, str(error.args[0])) from error


def _moment(text: str, policy: Policy) -> datetime:
    """The moment; one without a zone is in the outlet's."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        sentence = f"--happened {text!r} is not a time in ISO 8601, such as 2026-05-20T08:00:00+08:00"
        raise AssessmentError(AssessmentCode.NOT_A_TIME, sentence) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=policy.zone)


def _document(event: WarningAssessed, policy: Policy) -> dict[str, Any]:
    """A verdict for programs."""
    return {
        "at": event.at.astimezone(policy.zone).isoformat(),
        "verdict": event.verdict,
        "warning_id": event.warning_id or None,
        "district": event.district,
        "hazard": event.hazard,
        "level": event.level.value if event.level else None,
        "happened": event.happened.astimezone(policy.zone).isoformat() if event.happened else None,
        "by": event.by,
        "note": event.note,
    }


def _list(context: typer.Context, month: str, *, json: bool) -> None:
    with reading_of(context) as read:
        try:
            found = assessments_of(read.log, month, policy=read.policy)
        except ValueError as error:
            fail(str(error), USAGE)
        document = {"month": month, **_listed(found, read.policy)}
    if json:
        print_json(document)
        return
    rows = [
        tuple(
            str(item[name] or "") for name in ("released", "warning_id", "district", "hazard", "level", "verdict", "by")
        )
        for item in document["warnings"]
    ]
    print_table(("released", "warning", "district", "hazard", "level", "verdict", "by"), rows)
    for item in document["missed"]:
        say(f"missed: {item['happened']} {item['district']} {item['hazard']}, by {item['by']}: {item['note']}")


def _listed(found: Assessments, policy: Policy) -> dict[str, Any]:
    return {
        "warnings": [
            {
                "released": one.released.astimezone(policy.zone).isoformat(),
                "warning_id": one.warning_id,
                "district": one.district,
                "hazard": one.hazard,
                "level": one.level.value,
                "verdict": one.verdict.verdict if one.verdict else None,
                "at": one.verdict.at.astimezone(policy.zone).isoformat() if one.verdict else None,
                "by": one.verdict.by if one.verdict else None,
                "note": one.verdict.note if one.verdict else None,
            }
            for one in found.warnings
        ],
        "missed": [
            {
                "happened": one.happened.astimezone(policy.zone).isoformat() if one.happened else None,
                "district": one.district,
                "hazard": one.hazard,
                "at": one.at.astimezone(policy.zone).isoformat(),
                "by": one.by,
                "note": one.note,
            }
            for one in found.missed
        ],
    }
