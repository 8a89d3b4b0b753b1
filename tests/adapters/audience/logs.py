"""A real event log to which rosters and subscribers are written as the platform writes them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from adapters.audience.index import RosterAudience
from adapters.audience.recipients_codec import pack
from adapters.audience.table import table_of
from adapters.store.sqlite_log import SqliteEventLog
from domain.event import Event
from domain.messages import Mode
from domain.outlet import stream_id_of
from domain.ports import Attachment, EventLog, Gazetteer, NewEvent
from domain.recipients import ChannelKind, Recipient
from domain.telling_events import PersonErased, RosterImported, SubscriptionConfirmed, SubscriptionEnded

NOW = datetime(2026, 9, 13, tzinfo=UTC)


def recipient(number: int, *areas: str, **words: Any) -> Recipient:
    fields = {"roster": "duty", "role": "duty", "channels": (ChannelKind.SMS,), "areas": areas, **words}
    return Recipient(number=number, **fields)


class AudienceLog:
    """What a test says of rosters and subscribers, in a log of its own or in a platform's."""

    def __init__(self, folder: Path, log: EventLog | None = None) -> None:
        self.log = log or SqliteEventLog(folder / "events.sqlite")
        self._versions: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.log.close()

    @property
    def head(self) -> int:
        return self.log.head()

    def audience(self, gazetteer: Gazetteer, **words: Any) -> RosterAudience:
        return RosterAudience(self.log, gazetteer, **words)

    def roster(self, name: str, recipients: Sequence[Recipient], *, mode: Mode = Mode.LIVE) -> None:
        packed = pack(table_of(mode, recipients))
        version = self._versions.get(f"{mode} {name}", 0) + 1
        event = RosterImported(
            at=NOW,
            roster=name,
            mode=mode,
            version=version,
            recipients_sha256=packed[0].sha256,
            recipients=len(recipients),
            entered=0,
            changed=0,
            left=0,
            source="test",
        )
        self._append(f"{mode} {name}", event, packed)

    def subscribe(self, one: Recipient) -> None:
        packed = pack(table_of(one.mode, [one]))
        event = SubscriptionConfirmed(at=NOW, number=one.number, recipient_sha256=packed[0].sha256)
        self._append("subscriptions", event, packed)

    def end(self, number: int) -> None:
        self._append("subscriptions", SubscriptionEnded(at=NOW, number=number, reason="test"))

    def erase(self, *numbers: int) -> None:
        self._append("erasures", PersonErased(at=NOW, numbers=numbers, reason="test"))

    def lose(self, name: str) -> None:
        """A version whose recipients nobody has kept."""
        digest = sha256(name.encode()).hexdigest()
        event = RosterImported(
            at=NOW,
            roster=name,
            mode=Mode.LIVE,
            version=1,
            recipients_sha256=digest,
            recipients=1,
            entered=1,
            changed=0,
            left=0,
            source="test",
        )
        self._append(f"lost {name}", event)

    def _append(self, name: str, event: Event, attachments: Sequence[Attachment] = ()) -> None:
        version = self._versions[name] = self._versions.get(name, 0) + 1
        stream = stream_id_of("test", name)
        self.log.append([NewEvent(stream, version, event)], attachments=attachments)
