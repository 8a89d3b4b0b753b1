"""What a feed would bring now, without taking anything in or remembering anything."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.cli.files import content_of
from adapters.net.client import OutboundClient
from adapters.pollers.assembly import Prepared, Surroundings
from adapters.pollers.cap_feed import fetch_entries
from adapters.pollers.definition import FeedKind
from adapters.pollers.fetching import Fetcher
from adapters.pollers.gathering import Gathering
from adapters.pollers.looks import FeedCode, FeedError
from adapters.pollers.syndication import entries_of
from streams.intake import ListedMessage, RefusedItem

NEWEST: Final = 20
"""Entries and files that are shown at most."""


@dataclass(slots=True)
class Preview:
    """Documents by their source, items of a list, and what went wrong with parts of it."""

    documents: list[tuple[str, bytes]] = field(default_factory=list)
    listed: list[ListedMessage] = field(default_factory=list)
    refused: list[RefusedItem] = field(default_factory=list)
    troubles: list[tuple[str, FeedError]] = field(default_factory=list)


async def preview(prepared: Prepared, around: Surroundings) -> Preview:
    """Look once.

    Raises:
        FeedError: the feed cannot be used.
    """
    if prepared.definition.kind is FeedKind.FOLDER:
        assert prepared.folder is not None, "its definition asks for one"
        return _of_files(prepared.folder)
    client: OutboundClient = prepared.client(around)
    try:
        fetcher = prepared.fetcher(client)
        if prepared.profile is None:
            return await _of_entries(prepared, fetcher)
        gathered = await Gathering(prepared.definition, prepared.profile, fetcher).gather()
    finally:
        await client.close()
    assert gathered is not None, "nothing was asked for under a condition"
    troubles = [(prepared.definition.id, gathered.trouble)] if gathered.trouble else []
    return Preview(listed=list(gathered.listed.values()), refused=gathered.refused, troubles=troubles)


async def _of_entries(prepared: Prepared, fetcher: Fetcher) -> Preview:
    [address] = prepared.definition.urls
    answer = await fetcher.get(address)
    assert answer is not None, "nothing was asked for under a condition"
    newest = entries_of(answer.body, address)[-NEWEST:]
    seen = Preview()
    for one in await fetch_entries(fetcher, newest, prepared.definition.concurrency):
        source = one.entry.link or one.entry.id
        seen.documents += [(source, document) for document in one.documents]
        if one.error is not None:
            seen.troubles.append((source, one.error))
    return seen


def _of_files(folder: Path) -> Preview:
    seen = Preview()
    try:
        next(folder.iterdir(), None)  # what is looked for below says nothing of a folder that is not there
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        ours = {"done", "refused", "ack"}
        waiting = [path for path in files if path.relative_to(folder).parts[0] not in ours]
        for path in waiting[:NEWEST]:
            seen.documents.append((str(path.relative_to(folder)), content_of(path)))
    except OSError as error:
        raise FeedError(FeedCode.FOLDER, f"{folder}: {error.strerror}") from error
    return seen
