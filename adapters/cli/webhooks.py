"""`outlet webhook`: downstream systems that are sent every release; docs/webhooks.md is for their engineers."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from adapters.cli.common import USAGE, JsonOption, district_named, fail, print_json, reading_of
from adapters.cli.looks import clock_text, print_table, say
from adapters.clocks import SystemClock
from adapters.connections import OutboundDefinition, connections_in
from adapters.http.public.query import Filter, read_level
from adapters.net.client import Answer, OutboundError
from adapters.push.shelf import Shelf
from adapters.push.state import FILE_NAME as STATE_NAME
from adapters.push.state import Progress, PushState
from adapters.push.target import Delivered
from adapters.webhooks.service import client_for
from adapters.webhooks.store import FILE_NAME, Webhook, Webhooks, shown_secret
from adapters.webhooks.target import TEST, TIMEOUT_SECONDS, body_of, outcome_of, signed_headers
from adapters.wiring import ReadSide
from domain.messages import Mode

commands = typer.Typer(no_args_is_help=True, help="Downstream systems that are sent every release.")

WebhookArgument = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id, as `outlet webhook list` shows.")]

MOST_COUNTED: Final = 1_000
"""Releases that a webhook is behind are counted up to here."""


class Desk:
    """The registered webhooks, and how far each has come."""

    def __init__(self, read: ReadSide, webhooks: Webhooks, state: PushState) -> None:
        self.read = read
        self.webhooks = webhooks
        self.state = state

    @property
    def outbound(self) -> OutboundDefinition:
        """What requests may reach."""
        return connections_in(self.read.settings.data_dir).outbound

    def document(self, webhook: Webhook) -> dict[str, Any]:
        """A webhook as JSON; never its secret."""
        zone, progress = self.read.policy.zone, self.state.of(webhook.id) or Progress(self.read.log.head())
        behind, is_all = self._behind(webhook, progress)
        return {
            "id": webhook.id,
            "url": webhook.url,
            "mode": webhook.mode.value,
            "districts": sorted(webhook.wanted.districts),
            "hazards": sorted(webhook.wanted.hazards),
            "level_min": webhook.wanted.level_min.value if webhook.wanted.level_min else None,
            "state": "enabled" if webhook.disabled is None else "disabled",
            "created": _iso(webhook.created, zone),
            "disabled": _iso(webhook.disabled, zone),
            "reason": webhook.reason,
            "position": progress.done_up_to,
            "head": self.read.log.head(),
            "behind": behind,
            "behind_is_more": not is_all,
            "delivered": progress.delivered,
            "last_success": _iso(progress.last_success, zone),
            "failing_since": _iso(progress.failing_since, zone),
            "failures": progress.failures,
            "next_try": _iso(progress.not_before, zone),
            "last_error": progress.last_error,
        }

    def _behind(self, webhook: Webhook, progress: Progress) -> tuple[int, bool]:
        """How many releases it is still to be sent, and whether those are all."""
        count, position, head = len(progress.open), progress.position, self.read.log.head()
        shelf = Shelf(self.read.log)
        while position < head and count < MOST_COUNTED:
            page, position = shelf.after(position)
            count += sum(
                parcel.release.mode is webhook.mode and webhook.wanted.wants_release(parcel.release) for parcel in page
            )
        return count, position >= head


def _iso(moment: datetime | None, zone: Any) -> str | None:  # noqa: ANN401 -- a tzinfo
    return None if moment is None else moment.astimezone(zone).isoformat(timespec="seconds")


@contextmanager
def _desk_of(context: typer.Context) -> Iterator[Desk]:
    with reading_of(context) as read:
        folder: Path = read.settings.data_dir
        with Webhooks(folder / FILE_NAME) as webhooks, PushState(folder / STATE_NAME) as state:
            yield Desk(read, webhooks, state)


@commands.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to send; https, on a public address.")],
    *,
    district: Annotated[list[str] | None, typer.Option(help="Only this district, by code or name; repeatable.")] = None,
    hazard: Annotated[list[str] | None, typer.Option(help="Only this hazard, by code; repeatable.")] = None,
    level_min: Annotated[str | None, typer.Option(metavar="LEVEL", help="Only from this level up.")] = None,
    drill: Annotated[bool, typer.Option("--drill", help="Send drills, and nothing but drills.")] = False,
    begin: Annotated[
        int | None, typer.Option("--from", min=0, metavar="POSITION", help="Begin behind this position; else from now.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Register an address. Its signing secret is shown once."""
    with _desk_of(context) as desk:
        wanted = _filter(desk.read, district or [], hazard or [], level_min)
        try:
            asyncio.run(_vetted(url, desk.outbound))
        except OutboundError as error:
            fail(f"this address cannot be a webhook: {error}")
        if begin is not None and begin > desk.read.log.head():
            fail(f"--from {begin} lies beyond the log's end, which is {desk.read.log.head()}", USAGE)
        head = desk.read.log.head()
        mode = Mode.DRILL if drill else Mode.LIVE
        webhook = desk.webhooks.add(url, wanted, SystemClock().now(), mode=mode)
        desk.state.begin(webhook.id, head)
        if begin is not None:
            desk.state.move(webhook.id, begin)
        _show_secret(desk, webhook, json=json)


@commands.command("list")
def list_webhooks(context: typer.Context, *, json: JsonOption = False) -> None:
    """Show each webhook: how far it has come, how much it is behind, and what went wrong last."""
    with _desk_of(context) as desk:
        told = [desk.document(webhook) for webhook in desk.webhooks.all().values()]
        now = datetime.now(desk.read.policy.zone)
    if json:
        print_json({"at": now.isoformat(), "webhooks": told})
        return
    columns = ("id", "url", "mode", "state", "position", "behind", "last success", "failing since", "last error")
    rows = [
        (
            one["id"],
            one["url"],
            one["mode"],
            f"{one['state']} {one['reason']}".strip(),
            str(one["position"]),
            f"{one['behind']}{'+' if one['behind_is_more'] else ''}",
            clock_text(one["last_success"]),
            clock_text(one["failing_since"]),
            one["last_error"],
        )
        for one in told
    ]
    print_table(columns, rows)


@commands.command("test")
def send_test(context: typer.Context, webhook: WebhookArgument, *, json: JsonOption = False) -> None:
    """Send one signed `webhook.test` and show the answer; exit code 1 unless it was taken."""
    with _desk_of(context) as desk:
        found = desk.webhooks.named(webhook)
        status, seconds, problem = asyncio.run(_tried(found, desk.outbound))
    if json:
        print_json({"id": found.id, "status": status, "seconds": round(seconds, 3), "problem": problem})
    elif not problem:
        say(f"{found.id}: taken with {status} after {seconds:.3f} s")
    if problem:
        fail(f"{found.id}: {problem}, after {seconds:.3f} s")


@commands.command()
def enable(context: typer.Context, webhook: WebhookArgument, *, json: JsonOption = False) -> None:
    """Serve a webhook again, from where it stopped: nothing of what was released meanwhile is left out."""
    with _desk_of(context) as desk:
        found = desk.webhooks.named(webhook)
        desk.state.try_now(found.id)
        _show(desk, desk.webhooks.enable(found.id), "enabled", json=json)


@commands.command()
def disable(context: typer.Context, webhook: WebhookArgument, *, json: JsonOption = False) -> None:
    """Send a webhook nothing more, from the next sending on; its place is kept."""
    with _desk_of(context) as desk:
        found = desk.webhooks.disable(webhook, SystemClock().now(), "by hand")
        _show(desk, found, "disabled", json=json)


@commands.command()
def replay(
    context: typer.Context,
    webhook: WebhookArgument,
    *,
    begin: Annotated[int, typer.Option("--from", min=0, metavar="POSITION", help="Send again what lies behind this.")],
    json: JsonOption = False,
) -> None:
    """Send again every release behind a position, in order and under the same ids. 0 is the beginning."""
    with _desk_of(context) as desk:
        found = desk.webhooks.named(webhook)
        if begin > desk.read.log.head():
            fail(f"--from {begin} lies beyond the log's end, which is {desk.read.log.head()}", USAGE)
        desk.state.move(found.id, begin)
        _show(desk, found, f"begins again behind {begin}", json=json)


@commands.command()
def rotate(context: typer.Context, webhook: WebhookArgument, *, json: JsonOption = False) -> None:
    """Make a new secret, shown once; for 24 hours the one before signs every request as well."""
    with _desk_of(context) as desk:
        _show_secret(desk, desk.webhooks.rotate(webhook, SystemClock().now()), json=json)


def _filter(read: ReadSide, districts: list[str], hazards: list[str], level_min: str | None) -> Filter:
    codes = frozenset(district_named(read.gazetteer, named).code for named in districts)
    for hazard in hazards:
        if read.policy.hazard_index.get(hazard) is None:
            raise LookupError(f"the outlet's policy has no hazard {hazard!r}")
    try:
        return Filter(codes, frozenset(hazards), None if level_min is None else read_level(level_min))
    except ValueError as error:
        fail(f"--level-min {level_min!r}: {error}", USAGE)


async def _vetted(url: str, outbound: OutboundDefinition) -> None:
    client = client_for(outbound)
    try:
        await client.vet(url)
    finally:
        await client.close()


async def _tried(webhook: Webhook, outbound: OutboundDefinition) -> tuple[int | None, float, str]:
    """The status, how long it took, and the problem if there is one."""
    client, now, began = client_for(outbound), SystemClock().now(), time.monotonic()
    body = body_of(TEST, now, {"webhook": webhook.id})
    headers = signed_headers(webhook, f"test-{webhook.id}-{now.timestamp():.6f}", now, body)
    answer: Answer | None = None
    try:
        answer = await client.request("POST", webhook.url, headers=headers, body=body, timeout_seconds=TIMEOUT_SECONDS)
        outcome = outcome_of(answer.status, "", now)
        problem = "" if isinstance(outcome, Delivered) else outcome.reason
    except OutboundError as error:
        problem = str(error)
    finally:
        await client.close()
    return (None if answer is None else answer.status), time.monotonic() - began, problem


def _show(desk: Desk, webhook: Webhook, what: str, *, json: bool) -> None:
    if json:
        print_json(desk.document(webhook))
    else:
        say(f"{webhook.id}: {what}")


def _show_secret(desk: Desk, webhook: Webhook, *, json: bool) -> None:
    if json:
        print_json({**desk.document(webhook), "secret": shown_secret(webhook.secret)})
        return
    say(f"{webhook.id} to {webhook.host}; its signing secret, shown once, keep it safe:")
    typer.echo(shown_secret(webhook.secret))
