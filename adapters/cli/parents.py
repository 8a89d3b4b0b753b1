"""`outlet parent`: what was handed to parent systems, what they answered, and handing something over again."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer
from msgspec.json import decode

from adapters.cli.common import JsonOption, district_named, fail, platform_of, print_json, reading_of
from adapters.cli.looks import clock_text, print_table, say
from adapters.connections import Connections, connections_in
from adapters.push.state import FILE_NAME, Progress, PushState
from adapters.push.target import Delivered, GivenUp, Gone, Outcome, TryAgain
from adapters.upward.definition import ParentDefinition
from adapters.upward.making import parcel_at, target_of
from adapters.upward.watch import expects_answers
from adapters.wiring import Platform, ReadSide
from domain.messages import Mode
from domain.passing_up import DocumentState, acknowledgement_is_overdue, release_is_for
from domain.sections import Change
from projections.base import Condition, equal, moment_of
from projections.passing_up import (
    DocumentAtParent,
    documents_at,
    failing_since,
    given_up,
    has_heard_of,
    last_answer,
    last_passed,
    passed_up,
    refusals,
    unanswered,
)
from projections.releases import RELEASES, ReleaseRow

commands = typer.Typer(no_args_is_help=True, help="Parent systems: what went up, and what they answered.")

ParentArgument = Annotated[str, typer.Argument(metavar="ID", help="The parent's id in `connections.toml`.")]


def parent_named(connections: Connections, wanted: str) -> ParentDefinition:
    """The parent with this id.

    Raises:
        LookupError: there is none, with those that there are.
    """
    found = next((parent for parent in connections.parents if parent.id == wanted), None)
    if found is None:
        known = ", ".join(parent.id for parent in connections.parents) or "none"
        raise LookupError(f"no parent {wanted!r} in connections.toml; there are: {known}")
    return found


@commands.command("list")
def list_parents(context: typer.Context, *, json: JsonOption = False) -> None:
    """Show each parent: what it got and answered last, what it refused, what is late, how far it is behind."""
    with reading_of(context) as read:
        now = datetime.now(read.policy.zone)
        parents = connections_in(read.settings.data_dir).parents
        told = [_parent_json(read, parent, _progress(read, parent), now) for parent in parents]
    if json:
        print_json({"at": now.isoformat(), "parents": told})
        return
    columns = (
        "parent",
        "form",
        "by",
        "mode",
        "passed",
        "acknowledged",
        "refused",
        "overdue",
        "behind",
        "failing since",
    )
    rows = [
        (
            one["id"],
            one["form"],
            one["by"],
            one["mode"],
            clock_text(one["last_passed"]),
            clock_text(one["last_acknowledged"]),
            str(one["refused"]),
            str(one["overdue"]),
            "" if one["behind"] is None else str(one["behind"]),
            f"{clock_text(one['failing_since'])} {one['failure']}".strip(),
        )
        for one in told
    ]
    print_table(columns, rows)


@commands.command()
def show(
    context: typer.Context,
    parent: ParentArgument,
    *,
    district: Annotated[str | None, typer.Option(help="Only this district, by code or name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many of the newest releases.")] = 50,
    json: JsonOption = False,
) -> None:
    """Show the documents that went up, newest release first, each with its acknowledgement."""
    with reading_of(context) as read:
        now = datetime.now(read.policy.zone)
        definition = parent_named(connections_in(read.settings.data_dir), parent)
        code = None if district is None else district_named(read.gazetteer, district).code
        told: list[dict[str, Any]] = []
        positions: set[int] = set()
        for document in documents_at(read.tables, definition.id, limit=None if code else limit):
            row = _release(read, document.position)
            if code is not None and (row is None or row.district != code):
                continue
            positions.add(document.position)
            if len(positions) > limit:
                break
            told.append(_document_json(read, definition, document, row, now))
    if json:
        print_json({"parent": definition.id, "at": now.isoformat(), "documents": told})
        return
    columns = ("position", "district", "document", "state", "passed", "answered", "code", "note")
    print_table(
        columns,
        [
            (
                str(one["position"]),
                one["district"] or "",
                one["document"] or "",
                f"{one['state']} (overdue)" if one["overdue"] else one["state"],
                clock_text(one["passed_at"]),
                clock_text(one["answered_at"]),
                one["error_code"],
                one["note"],
            )
            for one in told
        ],
    )


@commands.command()
def retry(
    context: typer.Context,
    parent: ParentArgument,
    position: Annotated[int, typer.Argument(min=1, help="The release's position, as `parent show` tells it.")],
) -> None:
    """Hand a release over again, now: one that was refused, that did not get there, or that was lost there."""
    with platform_of(context, must_exist=True) as platform:
        connections = connections_in(platform.settings.data_dir)
        definition = parent_named(connections, parent)
        outcome = asyncio.run(_handed_over(platform, connections, definition, position))
        platform.project()
        match outcome:
            case Delivered():
                refused = _refused(platform, definition, position)
                if refused:
                    fail(f"{definition.id} refuses the release at {position}: {refused}")
                say(f"{definition.id} has the release at {position}")
            case TryAgain(reason=reason) | GivenUp(reason=reason) | Gone(reason=reason):
                fail(f"{definition.id} did not take the release at {position}: {reason}")


async def _handed_over(
    platform: Platform, connections: Connections, definition: ParentDefinition, position: int
) -> Outcome:
    parcel = parcel_at(platform, position)
    if parcel.release.mode is not definition.mode:
        raise LookupError(
            f"the release at {position} is {parcel.release.mode.value}, {definition.id} is {definition.mode.value}"
        )
    target = target_of(platform, definition, connections.outbound, platform.settings.data_dir)
    try:
        return await target.hand_over_again(parcel)
    finally:
        await target.close()


@commands.command("resume")
def resume(context: typer.Context, parent: ParentArgument) -> None:
    """Serve a parent again whose patience has ended, or try one that fails at once; a running outlet follows."""
    with reading_of(context) as read:
        definition = parent_named(connections_in(read.settings.data_dir), parent)
        with PushState(read.settings.data_dir / FILE_NAME) as state:
            if state.of(f"parent-{definition.id}") is None:
                raise LookupError(f"parent {definition.id} has never been served")
            state.try_now(f"parent-{definition.id}")
    say(f"parent {definition.id} is tried again")


def _refused(platform: Platform, definition: ParentDefinition, position: int) -> str:
    rows = [row for row in refusals(platform.tables, definition.id) if row.position == position]
    return "; ".join(f"{row.document}: {row.error_code} {row.note}".strip() for row in rows)


def _progress(read: ReadSide, parent: ParentDefinition) -> Progress | None:
    """How far the courier has come with it; None while it never began."""
    path = read.settings.data_dir / FILE_NAME
    if not path.is_file():
        return None
    with PushState(path) as state:
        return state.of(f"parent-{parent.id}")


def _parent_json(read: ReadSide, parent: ParentDefinition, progress: Progress | None, now: datetime) -> dict[str, Any]:
    passed, answer = last_passed(read.tables, parent.id), last_answer(read.tables, parent.id)
    failure = failing_since(read.tables, parent.id)
    waiting = unanswered(read.tables, parent.id)
    zone = read.policy.zone
    return {
        "id": parent.id,
        "form": parent.form.value,
        "by": parent.by.value,
        "mode": parent.mode.value,
        "last_passed": moment_of(passed.at, zone).isoformat() if passed else None,
        "last_acknowledged": moment_of(answer.at, zone).isoformat() if answer else None,
        "waiting": len(waiting) if expects_answers(parent) else None,
        "refused": len(refusals(read.tables, parent.id)),
        "failed": len(given_up(read.tables, parent.id)),
        "overdue": sum(_is_overdue(parent, moment_of(row.at), now) for row in waiting),
        "behind": None if progress is None else _behind(read, parent, progress),
        "failing_since": moment_of(failure.at, zone).isoformat() if failure else None,
        "failure": failure.reason if failure else "",
    }


def _behind(read: ReadSide, parent: ParentDefinition, progress: Progress) -> int:
    """How many releases it is still to be handed."""
    where = (*equal(mode=parent.mode.value), Condition("position", ">", progress.done_up_to))
    return sum(
        not progress.is_done(row.position)
        and passed_up(read.tables, parent.id, row.position) is None
        and _is_for(read, parent, row)
        for row in read.tables.select(RELEASES, where, order=("position",))
    )


def _is_for(read: ReadSide, parent: ParentDefinition, row: ReleaseRow) -> bool:
    return release_is_for(
        parent.wish,
        mode=Mode(row.mode),
        district=row.district,
        changes=[Change.model_validate(change) for change in decode(row.changes)],
        has_begun=has_heard_of(read.tables, parent.id, row.warning_id),
    )


def _is_overdue(parent: ParentDefinition, handed_over: datetime, now: datetime) -> bool:
    return expects_answers(parent) and acknowledgement_is_overdue(handed_over, now, parent.acknowledge_within_seconds)


def _release(read: ReadSide, position: int) -> ReleaseRow | None:
    return next(iter(read.tables.select(RELEASES, equal(position=position), limit=1)), None)


def _document_json(
    read: ReadSide, parent: ParentDefinition, document: DocumentAtParent, row: ReleaseRow | None, now: datetime
) -> dict[str, Any]:
    zone = read.policy.zone
    is_waiting = document.state is DocumentState.WAITING
    overdue = is_waiting and document.passed_at is not None and _is_overdue(parent, document.passed_at, now)
    return {
        "position": document.position,
        "district": row.district if row else None,
        "release": row.identifier if row else None,
        "document": document.document or None,
        "state": document.state.value,
        "overdue": overdue,
        "passed_at": document.passed_at.astimezone(zone).isoformat() if document.passed_at else None,
        "answered_at": document.answered_at.astimezone(zone).isoformat() if document.answered_at else None,
        "error_code": document.error_code,
        "note": document.note,
    }
