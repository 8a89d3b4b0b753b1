"""What a list's reader gives, as the intake takes it."""

from adapters.feeds.items import ListedMessage as ListedItem
from adapters.feeds.items import RefusedItem as UnreadItem
from streams.intake import ListedMessage, RefusedItem


def listed_message(entry: ListedItem) -> ListedMessage:
    """An entry as the intake takes it: its item id is the message's identifier, its bytes the message itself."""
    content = entry.message.model_dump_json().encode()
    return ListedMessage(agency=entry.agency, item=entry.message.identifier, message=entry.message, content=content)


def refused_item(item: UnreadItem) -> RefusedItem:
    """A refused item as the intake takes it."""
    return RefusedItem(item=item.identifier or item.path, content=item.raw.encode(), findings=item.findings)
