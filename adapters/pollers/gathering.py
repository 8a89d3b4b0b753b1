"""Everything that a list shows, from all of its pages and addresses; or what came of it, and why that is not all.

A list is whole only when every part came, every item has an id and the parts agree with each other.
"""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from adapters.feeds.framing import document_in, value_at
from adapters.feeds.items import ListedMessage as ListedItem
from adapters.feeds.list_reader import ListReader, ListReading
from adapters.feeds.listing import listed_message, refused_item
from adapters.feeds.profile import ListProfile
from adapters.pollers.definition import FeedDefinition, Paging
from adapters.pollers.fetching import Fetcher, Validators, validators_of
from adapters.pollers.looks import FeedCode, FeedError
from domain.findings import Code, RefusedMessageError, refusal
from streams.intake import ListedMessage, RefusedItem


@dataclass(slots=True)
class Gathered:
    """What came of a list: items by id (the first copy of each), unreadable ones, and why it is not whole."""

    listed: dict[str, ListedMessage] = field(default_factory=dict)
    refused: list[RefusedItem] = field(default_factory=list)
    trouble: FeedError | None = None
    validators: Validators | None = None
    latency_seconds: float = 0.0

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all items, unreadable ones too."""
        return frozenset(self.listed) | {item.item for item in self.refused}

    def not_whole(self, error: FeedError) -> None:
        """Remember the first reason."""
        if self.trouble is None:
            self.trouble = error


class Gathering:
    """Fetches one list."""

    def __init__(self, definition: FeedDefinition, profile: ListProfile, fetcher: Fetcher) -> None:
        """Nothing is fetched yet."""
        self._definition = definition
        self._reader = ListReader(profile)
        self._fetcher = fetcher

    async def gather(self, validators: Validators | None = None) -> Gathered | None:
        """All that the list shows now; None when it has not changed since the validators were given.

        Raises:
            FeedError: nothing usable came.
        """
        gathered = Gathered()
        if self._definition.paging is not None:
            await self._gather_pages(self._definition.urls[0], self._definition.paging, gathered)
            return gathered
        if len(self._definition.urls) == 1:
            answer = await self._fetcher.get(self._definition.urls[0], validators)
            if answer is None:
                return None
            self._add(gathered, await self._read(answer.body))
            gathered.validators, gathered.latency_seconds = validators_of(answer), answer.seconds
            return gathered
        errors: list[FeedError] = []
        for url in self._definition.urls:
            try:
                self._add(gathered, (await self._page(url, gathered))[0])
            except FeedError as error:
                errors.append(error)
                gathered.not_whole(error)
        if len(errors) == len(self._definition.urls):
            raise errors[0]
        return gathered

    async def _gather_pages(self, url: str, paging: Paging, gathered: Gathered) -> None:
        """The first page must come; what goes wrong behind it makes the list less than whole."""
        first, total = await self._page(_page_address(url, paging, paging.first), gathered, paging)
        self._add(gathered, first)
        try:
            await self._gather_further_pages(url, paging, gathered, first, total)
        except FeedError as error:
            gathered.not_whole(error)

    async def _gather_further_pages(
        self, url: str, paging: Paging, gathered: Gathered, first: ListReading, total: int
    ) -> None:
        """Page after page until all items are there, then the first once more: it tells of most changes meanwhile."""
        number, page = paging.first, first
        while len(gathered.ids) < total and page.identifiers:
            number += 1
            if number - paging.first >= paging.most_pages:
                raise FeedError(FeedCode.PAGES_DISAGREE, f"more than {paging.most_pages} pages")
            page, said = await self._page(_page_address(url, paging, number), gathered, paging)
            self._add(gathered, page)
            if said != total:
                raise FeedError(FeedCode.PAGES_DISAGREE, f"page {number} counts {said} items, the first {total}")
        if number > paging.first:
            again, said = await self._page(_page_address(url, paging, paging.first), gathered, paging)
            if said != total or again.identifiers != first.identifiers:
                raise FeedError(FeedCode.PAGES_DISAGREE, "the first page changed while the others were fetched")
        if len(gathered.ids) != total:
            sentence = f"{len(gathered.ids)} items came; the list counts {total}"
            raise FeedError(FeedCode.PAGES_DISAGREE, sentence)

    async def _page(self, url: str, gathered: Gathered, paging: Paging | None = None) -> tuple[ListReading, int]:
        """One page, and how many items the whole list says that it has."""
        answer = await self._fetcher.get(url)
        assert answer is not None, "nothing was asked for under a condition"
        gathered.latency_seconds += answer.seconds
        reading = await self._read(answer.body)
        if paging is None:
            return reading, 0
        total = value_at(document_in(answer.body, self._reader.profile.envelope), paging.total)
        if not isinstance(total, int) or isinstance(total, bool):
            raise FeedError(FeedCode.NOT_A_LIST, f"no number of items at {paging.total}")
        return reading, total

    async def _read(self, body: bytes) -> ListReading:
        try:
            return await asyncio.to_thread(self._reader.read_list, body)
        except RefusedMessageError as error:
            found = error.findings[0]
            raise FeedError(FeedCode.NOT_A_LIST, f"{found.code} at {found.path}: {found.sentence}") from error

    def _add(self, gathered: Gathered, reading: ListReading) -> None:
        if not reading.complete:
            gathered.not_whole(FeedError(FeedCode.INCOMPLETE, "an item has no id that can be read"))
        for entry in reading.listed:
            only = self._definition.agency
            if only is None or entry.agency == only:
                gathered.listed.setdefault(entry.message.identifier, listed_message(entry))
            else:
                gathered.refused.append(_another_agencys(entry, only))
        gathered.refused += [refused_item(item) for item in reading.refused]


def _another_agencys(entry: ListedItem, only: str) -> RefusedItem:
    sentence = f"the feed is {only}'s, and this item is {entry.agency}'s"
    found = refusal(Code.REMIT_SENDER, entry.path, sentence)
    return RefusedItem(entry.message.identifier, entry.message.model_dump_json().encode(), (found,))


def _page_address(url: str, paging: Paging, number: int) -> str:
    parts = urlsplit(url)
    query = [
        (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != paging.parameter
    ]
    return urlunsplit(parts._replace(query=urlencode([*query, (paging.parameter, number)])))
