"""A look at a CAP feed: what is new in it is fetched, handed to the intake in order of age, and remembered.

An entry is remembered after its messages are durable: a crash in between makes a duplicate, never a loss.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adapters.net.client import OutboundCode
from adapters.pollers.definition import FeedDefinition
from adapters.pollers.fetching import Fetcher, validators_of
from adapters.pollers.looks import FeedCode, FeedError, Look, counted
from adapters.pollers.pacing import entry_pause_seconds
from adapters.pollers.store import SETTLED, EntryState, FeedStore, Remembered
from adapters.pollers.syndication import Entry, entries_of
from adapters.pollers.taking import Intake
from domain.feed_health import PollOutcome
from streams.intake import Delivery, Outcome, Receipt

AT_ONCE: Final = 20
"""Entries that are fetched before they are handed over together and remembered."""

MOST_ATTEMPTS: Final = 12
"""After so many, over some hours, an entry is given up, and shown as such."""

NEVER_ALLOWED: Final = frozenset(
    {
        OutboundCode.URL.value,
        OutboundCode.SCHEME.value,
        OutboundCode.FORBIDDEN_HOST.value,
        OutboundCode.FORBIDDEN_ADDRESS.value,
    }
)
"""Trying again would not help: the configuration or the feed has to change first."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An entry's documents, or why there are none."""

    entry: Entry
    documents: tuple[bytes, ...] = ()
    error: FeedError | None = None


class CapFeed:
    """One feed of kind `cap-feed`."""

    def __init__(self, definition: FeedDefinition, fetcher: Fetcher, store: FeedStore, intake: Intake) -> None:
        """Nothing is fetched yet; what an earlier configuration barred gets another chance."""
        self._definition = definition
        self._fetcher = fetcher
        self._store = store
        self._intake = intake
        store.forget_unfetched(definition.id)

    async def look(self) -> Look:
        """Fetch the feed and what is due in it.

        Raises:
            FeedError: the feed itself could not be used, or nothing could be taken in.
        """
        feed = self._definition.id
        [address] = self._definition.urls
        known = await asyncio.to_thread(self._store.entries, feed)
        owing = any(one.state is EntryState.FAILING for one in known.values())
        validators = None if owing else await asyncio.to_thread(self._store.validators, feed, address)
        answer = await self._fetcher.get(address, validators)
        if answer is None:
            return Look(PollOutcome.NOT_MODIFIED)
        entries = await asyncio.to_thread(entries_of, answer.body, address)
        now = self._intake.now()
        await asyncio.to_thread(self._store.saw_entries, feed, [entry.key for entry in entries], now)
        due = [entry for entry in entries if _is_due(known.get(entry.key), now)]
        messages = refused = settled = 0
        errors: list[FeedError] = []
        for start in range(0, len(due), AT_ONCE):
            fetched = await fetch_entries(self._fetcher, due[start : start + AT_ONCE], self._definition.concurrency)
            receipts = await asyncio.to_thread(self._take, fetched, known)
            accepted, rejected = counted(receipts)
            messages, refused = messages + accepted, refused + rejected
            errors += [one.error for one in fetched if one.error is not None]
            settled += sum(one.error is None for one in fetched)
        if errors and not settled:
            raise FeedError(
                FeedCode.ENTRIES,
                f"none of {len(due)} entries could be fetched; the last one: {errors[-1]}",
                retry_after_seconds=max(error.retry_after_seconds for error in errors),
            )
        await asyncio.to_thread(self._store.keep_validators, feed, address, validators_of(answer))
        reason = f"{len(errors)} of {len(due)} entries: {errors[-1]}" if errors else ""
        return Look(PollOutcome.OK, reason, messages, refused, latency_seconds=answer.seconds)

    def _take(self, fetched: Sequence[Fetched], known: dict[str, Remembered]) -> list[Receipt]:
        """Hand over what came, then remember every entry."""
        feed, now = self._definition.id, self._intake.now()
        deliveries: dict[str, Delivery] = {}
        for one in fetched:
            for number, document in enumerate(one.documents):
                source = self._source(one.entry, number)
                deliveries.setdefault(source, Delivery(document, self._definition.agency, source))
        receipts = self._intake.submit(list(deliveries.values()))
        refused = {receipt.source for receipt in receipts if receipt.outcome is Outcome.REJECTED}
        kept: dict[str, Remembered] = {}
        for one in fetched:
            entry = one.entry
            if one.error is None:
                sources = {self._source(entry, number) for number in range(len(one.documents))}
                state = EntryState.REFUSED if sources & refused else EntryState.TAKEN
                kept[entry.key] = Remembered(state, link=entry.link)
            else:
                kept[entry.key] = _not_fetched(entry, one.error, known.get(entry.key), now)
        self._store.keep_entries(feed, kept, now)
        return receipts

    def _source(self, entry: Entry, number: int) -> str:
        """Where a document came from. Entries that lead to the same one share it, and it is taken once."""
        where = entry.link or entry.id or entry.key
        return f"{self._definition.id}#{where}" if number == 0 else f"{self._definition.id}#{where}#{number + 1}"


async def fetch_entries(fetcher: Fetcher, entries: Sequence[Entry], concurrency: int) -> list[Fetched]:
    """The documents of the entries, in their order; so many at a time, and each address once."""
    slots = asyncio.Semaphore(concurrency)

    async def one(link: str) -> bytes | FeedError:
        async with slots:
            try:
                answer = await fetcher.get(link)
            except FeedError as error:
                return error
        return answer.body if answer else b""

    links = list(dict.fromkeys(entry.link for entry in entries if entry.link))
    bodies = dict(zip(links, await asyncio.gather(*(one(link) for link in links)), strict=True))
    return [_fetched(entry, bodies.get(entry.link)) for entry in entries]


def _fetched(entry: Entry, body: bytes | FeedError | None) -> Fetched:
    if entry.alerts:
        return Fetched(entry, entry.alerts)
    if body is None:
        error = FeedError(FeedCode.NOT_A_FEED, f"the entry {entry.id!r} has no alert in it and no link to one")
        return Fetched(entry, error=error)
    return Fetched(entry, error=body) if isinstance(body, FeedError) else Fetched(entry, (body,))


def _is_due(before: Remembered | None, now: float) -> bool:
    if before is None:
        return True
    return before.state is EntryState.FAILING and before.next_try <= now


def _not_fetched(entry: Entry, error: FeedError, before: Remembered | None, now: float) -> Remembered:
    attempts = 1 + (before.attempts if before and before.state not in SETTLED else 0)
    state = EntryState.FAILING
    if error.code in NEVER_ALLOWED or not entry.link:
        state = EntryState.BARRED
    elif attempts >= MOST_ATTEMPTS:
        state = EntryState.GIVEN_UP
    pause = max(entry_pause_seconds(attempts), error.retry_after_seconds)
    return Remembered(state, attempts, now + pause, str(error), entry.link)
