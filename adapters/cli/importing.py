"""`outlet import`: lists of what a bureau shows, with the spans in which an archive saw each item listed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track

from adapters.cli.common import (
    REFUSED,
    USAGE,
    ClockOption,
    JsonOption,
    err,
    errors_as_sentences,
    fail,
    globals_of,
    moment_of,
    print_json,
)
from adapters.cli.looks import say
from adapters.clocks import ManualClock
from adapters.feeds.items import ListedMessage as ListedItem
from adapters.feeds.list_reader import ListReader
from adapters.feeds.listing import listed_message, refused_item
from adapters.feeds.profile import ListProfile
from adapters.feeds.profile_files import load_profile, shipped_profile, shipped_profile_names
from adapters.receipts import finding_document, receipt_document
from adapters.wiring import Platform, build
from domain.events import MessageAccepted
from domain.findings import Code, RefusedMessageError
from projections.base import equal
from projections.base import moment_of as moment_from
from projections.history import HISTORY
from streams.intake import ListedMessage, Outcome, Receipt, RefusedItem


def profile_named(name: str) -> ListProfile:
    """A shipped profile by name, or one from a TOML file."""
    if Path(name).suffix == ".toml":
        return load_profile(Path(name))
    if name not in shipped_profile_names():
        fail(f"no profile {name!r}; shipped are {', '.join(shipped_profile_names())}, or give a .toml file", USAGE)
    return shipped_profile(name)


@dataclass(slots=True)
class ImportSummary:
    """What an import came to."""

    rows: int
    refused: Sequence[RefusedItem]
    moments: int = 0
    moments_before: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    unresolved: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, Receipt] = field(default_factory=dict)

    def add(self, receipts: Iterable[Receipt]) -> None:
        """Count what became of the items of one moment."""
        unread = {item.item for item in self.refused}
        for receipt in receipts:
            self.outcomes[receipt.outcome.value] += 1
            if receipt.outcome is Outcome.REJECTED and receipt.source.partition("#")[2] not in unread:
                self.rejected[receipt.source] = receipt
            for found in receipt.findings:
                if found.code in {Code.UNKNOWN_PLACE, Code.PARTLY_OUTSIDE}:
                    self.unresolved[found.sentence] += 1

    def document(self) -> dict[str, Any]:
        """The summary as JSON."""
        return {
            "rows": self.rows,
            "moments": self.moments,
            "moments_before": self.moments_before,
            "outcomes": dict(self.outcomes),
            "unresolved_places": dict(self.unresolved),
            "refused_rows": [
                {"item": item.item, "findings": [finding_document(found) for found in item.findings]}
                for item in self.refused
            ],
            "rejected": [receipt_document(receipt) for receipt in self.rejected.values()],
        }


def import_list(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="JSON or NDJSON lists of what a bureau shows.")],
    *,
    profile: Annotated[str, typer.Option(help="A shipped profile's name, or a TOML file.")],
    at: ClockOption = None,
    json: JsonOption = False,
) -> None:
    """Replay lists in the order of time. Exit code 1 if any row was refused.

    Where the profile knows the spans in which each item was listed, every moment at which the list changed is
    replayed at its own time; moments that were replayed before are left out. Else the list is taken as what is shown
    now, or at `--at`.
    """
    with errors_as_sentences():
        described = profile_named(profile)
        entries, refused = read_lists(described, files)
    summary = ImportSummary(rows=len(entries) + len(refused), refused=refused)
    moments = boundaries(entries)
    first = moments[0] if moments else moment_of(at)
    clock = ManualClock(first) if first is not None else None
    with errors_as_sentences(), build(globals_of(context).settings(), clock=clock) as platform:
        if moments:
            Replay(platform, described, entries, summary).play(moments, refused)
        else:
            listed = [listed_message(entry) for entry in entries]
            summary.add(platform.runner.submit_listing(described.name, listed, refused))
            summary.moments = 1
        platform.runner.pump()
    _report(summary, json=json)


def read_lists(profile: ListProfile, files: Iterable[Path]) -> tuple[list[ListedItem], list[RefusedItem]]:
    """Every item of every file, read or refused.

    Raises:
        OSError: a file cannot be read.
    """
    entries: list[ListedItem] = []
    refused: list[RefusedItem] = []
    for path in files:
        try:
            reading = ListReader(profile).read_list(path.read_bytes())
        except RefusedMessageError as error:
            fail(f"{path}: {error}")
        entries += reading.listed
        refused += [refused_item(item) for item in reading.refused]
    return entries, refused


def _report(summary: ImportSummary, *, json: bool) -> None:
    if json:
        print_json(summary.document())
    else:
        counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(summary.outcomes.items())) or "no change"
        say(f"{summary.rows} rows, {summary.moments} moments at which the list changed: {counted}")
        if summary.moments_before:
            say(f"  · {summary.moments_before} earlier moments had been replayed before")
        for sentence, count in summary.unresolved.most_common():
            say(f"  · {sentence} ({count})")
        for item in summary.refused:
            say(f"  ✗ {item.item}: {'; '.join(found.sentence for found in item.findings)}")
        for receipt in summary.rejected.values():
            say(f"  ✗ {receipt.source}: {'; '.join(found.sentence for found in receipt.findings)}")
    if summary.refused or summary.rejected:
        raise typer.Exit(REFUSED)


class Replay:
    """Shows the platform, moment by moment, what the list showed."""

    def __init__(
        self, platform: Platform, profile: ListProfile, entries: Sequence[ListedItem], summary: ImportSummary
    ) -> None:
        """Prepare every entry once: an item is listed over many moments."""
        self._platform = platform
        self._name = profile.name
        self._entries = [(entry.spans, listed_message(entry)) for entry in entries]
        self._summary = summary
        self._accepted: set[str] = set()
        self._rejected: set[str] = set()

    def play(self, moments: Sequence[datetime], refused: Sequence[RefusedItem]) -> None:
        """Replay every moment that is later than what the log has taken in already."""
        since = newest_message(self._platform)
        ahead = [moment for moment in moments if since is None or moment > since]
        self._summary.moments_before = len(moments) - len(ahead)
        for moment in track(ahead, console=err, description="import", disable=not err.is_terminal):
            self._platform.runner.advance(moment)
            # The stages follow when the clock moves on, before it does.
            receipts = self._platform.runner.submit_listing(self._name, self._shown(moment), refused)
            refused = ()
            self._note(receipts)
            self._summary.moments += 1

    def _shown(self, moment: datetime) -> list[ListedMessage]:
        """What was listed at the moment, without what has been rejected before: once is enough on record."""
        return [
            message
            for spans, message in self._entries
            if message.item not in self._rejected
            and any(span.begins <= moment and (span.ends is None or moment < span.ends) for span in spans)
        ]

    def _note(self, receipts: Sequence[Receipt]) -> None:
        self._summary.add(receipts)
        for receipt in receipts:
            item = receipt.source.removeprefix(f"{self._name}#")
            if receipt.outcome is not Outcome.REJECTED:
                self._accepted.add(item)
            elif item not in self._accepted:  # what was accepted before stands while a worse copy of it is listed
                self._rejected.add(item)


def newest_message(platform: Platform) -> datetime | None:
    """When the newest message was taken in: a replay goes on from there, never back."""
    where = equal(kind=MessageAccepted.TOPIC)
    rows = platform.tables.select(HISTORY, where, order=("-position",), limit=1)
    return moment_from(rows[0].at) if rows else None


def boundaries(entries: Iterable[ListedItem]) -> list[datetime]:
    """Every moment at which the list changed, in order."""
    begins = {span.begins for entry in entries for span in entry.spans}
    ends = {span.ends for entry in entries for span in entry.spans if span.ends is not None}
    return sorted(begins | ends)
