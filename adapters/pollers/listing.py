"""A look at a list of what is in force, handed over as one: what it no longer shows has ended.

Of a list that is not whole, what came is taken in and nothing ends. What the intake refused is on record once.
"""

import asyncio
from hashlib import sha256
from typing import Final

from adapters.feeds.profile import ListProfile
from adapters.pollers.definition import FeedDefinition
from adapters.pollers.fetching import Fetcher
from adapters.pollers.gathering import Gathered, Gathering
from adapters.pollers.looks import FeedCode, FeedError, Look, counted, failed
from adapters.pollers.store import FeedStore
from adapters.pollers.taking import Intake
from domain.feed_health import PollOutcome
from streams.intake import ListedMessage, Outcome, RefusedItem

FEWEST_FOR_SHARE: Final = 5
"""A list that was shorter than this may end whole at once: of two items, one is half."""


class ListFeed:
    """One feed of kind `list`."""

    def __init__(
        self, definition: FeedDefinition, profile: ListProfile, fetcher: Fetcher, store: FeedStore, intake: Intake
    ) -> None:
        """Nothing is fetched yet."""
        self._definition = definition
        self._gathering = Gathering(definition, profile, fetcher)
        self._store = store
        self._intake = intake
        self._suspected: frozenset[str] | None = None
        self._reading = sha256(
            f"{intake.policy_sha256}\n{profile.model_dump_json()}\n{definition.urls}\n{definition.agency}".encode()
        ).hexdigest()

    async def look(self) -> Look:
        """Fetch the whole list and hand it over; half a list is a failed look.

        Raises:
            FeedError: nothing usable came, or nothing could be taken in.
        """
        validators = await asyncio.to_thread(self._store.validators, self._definition.id, self._reading)
        gathered = await self._gathering.gather(validators)
        if gathered is None:
            return Look(PollOutcome.NOT_MODIFIED)
        return await asyncio.to_thread(self._take, gathered)

    def _take(self, gathered: Gathered) -> Look:
        """Hand over what is not on record as refused, and remember what is."""
        feed = self._definition.id
        self._suspect_what_is_suddenly_short(gathered)
        on_record = self._store.refused_items(feed)
        shown: list[ListedMessage | RefusedItem] = [*gathered.listed.values(), *gathered.refused]
        digests = {self._digest(item.item, item.content): item for item in shown}
        listed = [one for one in gathered.listed.values() if self._digest(one.item, one.content) not in on_record]
        refused = [one for one in gathered.refused if self._digest(one.item, one.content) not in on_record]
        standing = {item.item for digest, item in digests.items() if digest in on_record}
        complete = gathered.trouble is None
        receipts = self._intake.submit_listing(feed, listed, refused, complete=complete, standing=standing)
        sources = {receipt.source for receipt in receipts if receipt.outcome is Outcome.REJECTED}
        still = {digest for digest, item in digests.items() if digest in on_record or f"{feed}#{item.item}" in sources}
        self._store.keep_refused_items(feed, still if complete else still | on_record)
        messages, rejected = counted(receipts)
        if gathered.trouble is not None:
            return failed(gathered.trouble, messages=messages, refused=rejected)
        self._store.keep_listed(feed, gathered.ids)
        if gathered.validators is not None:
            self._store.keep_validators(feed, self._reading, gathered.validators)
        return Look(PollOutcome.OK, "", messages, rejected, latency_seconds=gathered.latency_seconds)

    def _suspect_what_is_suddenly_short(self, gathered: Gathered) -> None:
        """Where more is gone than may be at once, nothing ends until the next look shows the same."""
        share = self._definition.most_ended_share
        before = self._store.listed(self._definition.id)
        gone = before - gathered.ids
        may_go = share >= 1 or len(before) < FEWEST_FOR_SHARE or len(gone) <= share * len(before)
        confirmed = self._suspected is not None and gone <= self._suspected
        if gathered.trouble is not None or may_go or confirmed:
            self._suspected = None
            return
        self._suspected = gone
        sentence = f"{len(gone)} of {len(before)} items are gone at once; they end if the next look shows the same"
        gathered.not_whole(FeedError(FeedCode.SUDDENLY_SHORT, sentence))

    def _digest(self, item: str, content: bytes) -> str:
        """What a refusal is remembered under; another policy or profile may see it differently."""
        return sha256(f"{self._reading}\n{item}\n".encode("utf-8", "surrogatepass") + content).hexdigest()
