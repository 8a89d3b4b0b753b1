"""`outlet feed list | alarms | check | arrivals`: how the configured feeds fare, and what one would bring now."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.cli.arrivals import arrivals
from adapters.cli.check import Verdict, checked_file
from adapters.cli.common import REFUSED, JsonOption, errors_as_sentences, fail, globals_of, print_json, reading_of
from adapters.cli.looks import print_table, say, verdict_text
from adapters.connections import FILE_NAME as CONNECTIONS_FILE
from adapters.connections import connections_in
from adapters.policies import load
from adapters.pollers.assembly import Surroundings, prepare
from adapters.pollers.definition import FeedDefinition
from adapters.pollers.looks import FeedError
from adapters.pollers.preview import Preview, preview
from adapters.pollers.store import FILE_NAME, SETTLED, FeedStore, Remembered
from adapters.reading import AnyReader
from adapters.settings import DEFAULT_POLICY, Settings
from adapters.wiring import has_outlet, open_for_reading
from domain.feed_health import FeedHealth
from domain.policy import Policy
from projections.feed_health import SilentFeed, feed_alarms, silent_feeds

commands = typer.Typer(no_args_is_help=True, help="Feeds that are polled: how they fare, and what they bring.")
commands.command()(arrivals)

FeedArgument = Annotated[str, typer.Argument(metavar="FEED", help=f"The feed's id in {CONNECTIONS_FILE}.")]


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed as it is described, its figures, its alarm, and entries of it that could not be fetched."""

    definition: FeedDefinition
    health: FeedHealth
    alarm: SilentFeed | None
    unfetched: list[Remembered] = field(default_factory=list)

    @property
    def state(self) -> str:
        """`silent`, `ok`, `failing` or `not-polled-yet`."""
        if self.alarm is not None:
            return "silent"
        if self.health.last_poll is None:
            return "not-polled-yet"
        return "failing" if self.health.failures_in_a_row else "ok"

    def document(self) -> dict[str, Any]:
        """The state as JSON; times are null before the first."""
        health = self.health
        return {
            "feed": self.definition.id,
            "kind": self.definition.kind.value,
            "agency": self.definition.agency,
            "state": self.state,
            "silent_since": _iso(self.alarm.since if self.alarm else None),
            "alarm": self.alarm.reason if self.alarm else None,
            "last_poll": _iso(health.last_poll),
            "last_success": _iso(health.last_success),
            "last_message": _iso(health.last_message),
            "last_failure": _iso(health.last_failure),
            "last_failure_reason": health.last_reason or None,
            "failures_in_a_row": health.failures_in_a_row,
            "error_rate": health.error_rate,
            "latency_seconds": {"last": health.last_seconds, "median": health.median_seconds},
            "polls": health.polls,
            "messages": health.messages,
            "refused": health.refused,
            "unfetched_entries": [
                {"link": one.link, "state": one.state.value, "attempts": one.attempts, "reason": one.reason}
                for one in self.unfetched
            ],
        }


@commands.command("list")
def list_feeds(context: typer.Context, *, json: JsonOption = False) -> None:
    """Show how every configured feed fares. Exit code 1 if one is silent."""
    with reading_of(context) as read:
        definitions = connections_in(read.settings.data_dir).feeds
        zone = read.policy.zone
        alarms = {alarm.feed: alarm for alarm in silent_feeds(read.tables, zone)}
        states = list(_states(read.settings.data_dir, definitions, alarms))
    if json:
        print_json({"feeds": [state.document() for state in states]})
    elif not states:
        say(f"no feeds in {read.settings.data_dir / CONNECTIONS_FILE}")
    else:
        _print_states(states, zone)
    if any(state.alarm for state in states):
        raise typer.Exit(REFUSED)


@commands.command()
def alarms(
    context: typer.Context,
    *,
    feed: Annotated[str | None, typer.Option(help="One feed alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    json: JsonOption = False,
) -> None:
    """List when feeds fell silent and when they were heard again, newest first."""
    with reading_of(context) as read:
        found = feed_alarms(read.tables, read.policy.zone, feed=feed, limit=limit)
    if json:
        print_json({"alarms": [alarm.as_json() for alarm in found]})
    else:
        rows = [(alarm.at.isoformat(), alarm.kind, alarm.feed, alarm.agency, alarm.reason) for alarm in found]
        print_table(("at", "what", "feed", "agency", "reason"), rows)


@commands.command()
def check(context: typer.Context, feed: FeedArgument, *, json: JsonOption = False) -> None:
    """Fetch a feed once, now, and show what it would bring; nothing is taken in. Exit code 1 if it failed."""
    with errors_as_sentences():
        settings = globals_of(context).settings()
        connections = connections_in(settings.data_dir)
        found = [one for one in connections.feeds if one.id == feed]
        if not found:
            known = ", ".join(one.id for one in connections.feeds) or "none"
            fail(f"no feed {feed!r} in {settings.data_dir / CONNECTIONS_FILE}; there are: {known}")
        policy = _policy_of(settings)
        outbound = connections.outbound
        around = Surroundings(settings.data_dir, policy, networks=outbound.networks, plain_http=outbound.plain_http)
        [prepared] = prepare(found, around)
        try:
            seen = asyncio.run(preview(prepared, around))
        except FeedError as error:
            if json:
                print_json({"feed": feed, "usable": False, "code": error.code, "sentence": error.sentence})
                raise typer.Exit(REFUSED) from error
            fail(f"{feed}: {error}")
    _report(feed, seen, AnyReader(policy), json=json)


def _report(feed: str, seen: Preview, reader: AnyReader, *, json: bool) -> None:
    documents = [checked_file(source, content, reader).document() for source, content in seen.documents]
    listed = [
        {"item": one.item, "agency": one.agency, "headline": one.message.infos[0].headline if one.message.infos else ""}
        for one in seen.listed
    ]
    refused: list[dict[str, Any]] = [
        {"item": one.item, "findings": [found.model_dump(mode="json") for found in one.findings]}
        for one in seen.refused
    ]
    troubles = [{"source": source, "reason": str(error)} for source, error in seen.troubles]
    if json:
        answer = {"feed": feed, "usable": True, "whole": not seen.troubles, "documents": documents, "listed": listed}
        print_json({**answer, "refused": refused, "troubles": troubles})
    else:
        say(f"{feed}: {len(documents)} documents, {len(listed)} listed items, {len(refused)} that cannot be read")
        rows: list[tuple[Any, ...]] = [
            (
                one["file"],
                verdict_text(one["verdict"], is_good=one["verdict"] != Verdict.REFUSED.value),
                ", ".join(message["identifier"] for message in one["messages"]),
                "\n".join(f"{found['code']}: {found['sentence']}" for found in one["findings"]),
            )
            for one in documents
        ]
        rows += [(one["item"], verdict_text("listed", is_good=True), one["agency"], one["headline"]) for one in listed]
        for item in refused:
            sentences = "\n".join(f"{found['code']}: {found['sentence']}" for found in item["findings"])
            rows.append((item["item"], verdict_text("unreadable", is_good=False), "", sentences))
        rows += [(one["source"], verdict_text("trouble", is_good=False), "", one["reason"]) for one in troubles]
        print_table(("source", "verdict", "message", "findings"), rows)
    if seen.troubles:
        raise typer.Exit(REFUSED)


def _states(
    data_dir: Path, definitions: tuple[FeedDefinition, ...], alarms: dict[str, SilentFeed]
) -> Iterator[FeedState]:
    with _store(data_dir) as store:
        for definition in definitions:
            health = store.health(definition.id) if store else FeedHealth()
            entries = store.entries(definition.id).values() if store else ()
            unfetched = [one for one in entries if one.state not in SETTLED]
            yield FeedState(definition, health, alarms.get(definition.id), unfetched)


@contextmanager
def _store(data_dir: Path) -> Iterator[FeedStore | None]:
    """The pollers' memory, where there is one: a command that only reads makes none."""
    path = data_dir / FILE_NAME
    with ExitStack() as stack:
        yield stack.enter_context(FeedStore(path)) if path.is_file() else None


def _print_states(states: list[FeedState], zone: Any) -> None:  # noqa: ANN401 -- a time zone of any kind
    def when(moment: datetime | None) -> str:
        return "never" if moment is None else moment.astimezone(zone).isoformat(timespec="seconds")

    rows: list[tuple[Any, ...]] = []
    for one in states:
        health = one.health
        rate = "" if health.error_rate is None else f"{health.error_rate:.0%}"
        median = "" if health.median_seconds is None else f"{health.median_seconds * 1000:.0f} ms"
        reason = one.alarm.reason if one.alarm else health.last_reason if health.failures_in_a_row else ""
        if one.unfetched:
            reason = "; ".join(filter(None, [reason, f"{len(one.unfetched)} entries not fetched"]))
        state = verdict_text(one.state, is_good=one.state in {"ok", "not-polled-yet"})
        rows.append(
            (
                one.definition.id,
                state,
                when(health.last_success),
                when(health.last_message),
                median,
                rate,
                str(health.messages),
                reason,
            )
        )
    header = ("feed", "state", "last success", "last message", "latency", "errors", "messages", "why")
    print_table(header, rows)


def _policy_of(settings: Settings) -> Policy:
    """The policy that a run would have: the adopted one where there is an outlet already."""
    if settings.policy is None and has_outlet(settings):
        with open_for_reading(settings) as read:
            return read.policy
    return load(settings.policy or DEFAULT_POLICY)[0]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
