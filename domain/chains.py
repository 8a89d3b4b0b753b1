"""Which messages of one agency belong together, and what each chain says now.

A chain is a first message and all that reference it, directly or through others: 12379 references name the first
message, CAP's name earlier ones. The book is one agency's and one mode's; it holds for each chain its newest
message (the head) and nothing of older ones but their names. All that is decided here depends on the set of
messages alone, never on the order in which they came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import model_validator

from domain.contributions import Contribution, MessageKey, Statement, key_of, split_by_district
from domain.events import (
    ChainWaited,
    ConflictingCopyArrived,
    ContributionsChanged,
    DuplicateArrived,
    EndedContribution,
    EndReason,
    Event,
    MessageAccepted,
    MessageHadNoEffect,
    NoEffect,
    WaitEnded,
)
from domain.findings import Finding
from domain.messages import AgencyMessage, MessageType, Mode, Reference
from domain.values import Moment, Value


class ListedItem(Value):
    """An item that a list shows: the message it became, and the digest of its content."""

    message: MessageKey
    digest: str


Node = tuple[str, str]
"""(sender, identifier): what a reference can name."""


class Arrival(Value):
    """A message as it reached us: who was authenticated, what it means, and the digest of its raw bytes."""

    agency: str
    mode: Mode
    message: AgencyMessage
    statements: tuple[Statement, ...]
    findings: tuple[Finding, ...]
    raw_sha256: str

    @model_validator(mode="after")
    def _only_actual_messages_are_live(self) -> "Arrival":
        if self.mode is Mode.LIVE and self.message.mode is not Mode.LIVE:
            raise ValueError(f"a message of status {self.message.status.value} can never be live")
        return self


@dataclass(slots=True)
class _Head:
    """A message that may speak for its chain."""

    key: MessageKey
    kind: MessageType
    statements: tuple[Statement, ...]
    listed: bool

    @property
    def order(self) -> tuple[float, int, str, str]:
        """Newest last; at the same second a cancel is newer than an update, and that than an alert."""
        return (self.key.sent.timestamp(), _KINDS[self.kind], self.key.identifier, self.key.sender)


_KINDS = {MessageType.ALERT: 0, MessageType.UPDATE: 1, MessageType.CANCEL: 2}


@dataclass(slots=True)
class _Told:
    """What the districts were last told under a chain's name: by which message, and which districts."""

    message: MessageKey
    districts: tuple[str, ...]


@dataclass(slots=True)
class _Chain:
    """One connected set of messages: those nobody references compete to be its head.

    `roots` are the messages that are not known to reference another: come without references, or not yet come.
    """

    agency: str
    nodes: set[Node] = field(default_factory=set)
    roots: set[Node] = field(default_factory=set)
    referenced: set[Node] = field(default_factory=set)
    heads: dict[Node, _Head] = field(default_factory=dict)
    has_alert: bool = False
    adopted: bool = False
    wait_until: Moment | None = None
    told: dict[str, _Told] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The chain's name: its agency, and its first message's sender and identifier.

        Messages that reference each other in a ring have no first one; the first by name stands for them.
        """
        return chain_name(self.agency, *min(self.roots or self.nodes))

    def newest(self) -> _Head | None:
        """The newest message that no other supersedes by reference."""
        open_ended = [head for node, head in self.heads.items() if node not in self.referenced]
        return max(open_ended or self.heads.values(), key=_order, default=None)

    def head(self) -> _Head | None:
        """The message that speaks for the chain; None while it waits for its first message."""
        return self.newest() if self.has_alert or self.adopted else None

    def forget_superseded(self) -> None:
        """Drop the messages that can never speak again: a long chain must not hold every text it ever had.

        The newest of all stays, superseded or not: it speaks where messages reference each other in a ring.
        """
        latest = max(self.heads.values(), key=_order)
        for node in [node for node, head in self.heads.items() if node in self.referenced and head is not latest]:
            del self.heads[node]

    def stop_waiting(self) -> None:
        """A chain that speaks waits for nothing."""
        if self.has_alert or self.adopted:
            self.wait_until = None


def _order(head: _Head) -> tuple[float, int, str, str]:
    return head.order


def chain_name(agency: str, sender: str, identifier: str) -> str:
    """The name of the chain whose first message this is, which no other chain of any agency has.

    Commas within the parts are told from those between them.
    """
    parts = [part.replace("\\", "\\\\").replace(",", "\\,") for part in (agency, sender, identifier)]
    return ",".join(parts)


class ChainBook:
    """All chains of one agency in one mode, folded from its events by `apply`."""

    def __init__(self) -> None:
        """Start with no message known."""
        self._digests: dict[MessageKey, str] = {}
        self._chains: dict[Node, _Chain] = {}
        self._nodes: dict[str, Node] = {}
        self._listed: dict[str, dict[str, ListedItem]] = {}

    def digest_of(self, key: MessageKey) -> str | None:
        """The raw digest under which this message is known."""
        return self._digests.get(key)

    def chain_of(self, node: Node) -> _Chain | None:
        """The chain that a message belongs to."""
        return self._chains.get(node)

    def chain_named(self, name: str) -> _Chain | None:
        """The chain that goes, or once went, by this name."""
        node = self._nodes.get(name)
        return None if node is None else self._chains.get(node)

    def listed(self, source: str) -> Mapping[str, "ListedItem"]:
        """The items that the list called `source` shows now, by item id."""
        return self._listed.get(source, {})

    def apply(self, event: Event) -> None:
        """Fold one event of this agency's stream; rejected and repeated messages leave the book as it is."""
        match event:
            case MessageAccepted():
                self._accept(event)
            case ContributionsChanged():
                chain = self.chain_named(event.chain)
                if chain is not None:
                    districts = tuple(contribution.district for contribution in event.entered)
                    if districts or event.chain == chain.name:
                        chain.told[event.chain] = _Told(event.message, districts)
                    else:
                        chain.told.pop(event.chain, None)
            case ChainWaited():
                chain = self.chain_named(event.chain)
                if chain is not None:
                    chain.wait_until = event.until
            case WaitEnded():
                chain = self.chain_named(event.chain)
                if chain is not None:
                    chain.wait_until = None
                    chain.adopted = True

    def _accept(self, event: MessageAccepted) -> None:
        message = event.message
        key = key_of(message)
        self._digests[key] = event.raw_sha256
        node = (message.sender, message.identifier)
        references = [_node_of(reference, message) for reference in message.references]
        chain = self._joined(event.agency, node, references)
        head = _Head(key=key, kind=message.message_type, statements=event.statements, listed=message.listed)
        known = chain.heads.get(node)
        if known is None or known.order < head.order:
            chain.heads[node] = head
        if message.message_type is MessageType.ALERT:
            chain.has_alert = True
        chain.stop_waiting()
        chain.forget_superseded()
        if message.listed:
            self._list(message, event.raw_sha256, key)

    def _list(self, message: AgencyMessage, digest: str, key: MessageKey) -> None:
        shown = self._listed.setdefault(message.source, {})
        item = message.incidents[0]
        if message.message_type is MessageType.CANCEL:
            shown.pop(item, None)
        else:
            shown[item] = ListedItem(message=key, digest=digest)

    def _joined(self, agency: str, node: Node, references: Sequence[Node]) -> _Chain:
        """The chain that holds the node and all it references, joining chains that turn out to be one."""
        parts: list[_Chain] = []
        for member in (node, *references):
            part = self._chains.get(member)
            if part is not None and all(part is not other for other in parts):
                parts.append(part)
        chain = max(parts, key=lambda part: len(part.nodes)) if parts else _Chain(agency)
        for part in parts:
            if part is not chain:
                _absorb(chain, part)
                self._chains.update(dict.fromkeys(part.nodes, chain))
        fresh = {node, *references} - chain.nodes
        chain.nodes |= fresh
        chain.roots |= fresh
        self._chains.update(dict.fromkeys(fresh, chain))
        self._nodes.update({chain_name(agency, *known): known for known in fresh})
        if any(reference != node for reference in references):
            chain.roots.discard(node)
        chain.referenced.update(reference for reference in references if reference != node)
        return chain


def _absorb(chain: _Chain, part: _Chain) -> None:
    chain.nodes |= part.nodes
    chain.roots |= part.roots
    chain.referenced |= part.referenced
    chain.heads.update(part.heads)
    chain.has_alert = chain.has_alert or part.has_alert
    chain.adopted = chain.adopted or part.adopted
    waits = [until for until in (chain.wait_until, part.wait_until) if until is not None]
    chain.wait_until = min(waits, default=None)
    chain.told.update(part.told)


def _node_of(reference: Reference, message: AgencyMessage) -> Node:
    """A reference without a sender means the message's own sender."""
    return (reference.sender or message.sender, reference.identifier)


def receive(book: ChainBook, arrival: Arrival, *, wait_seconds: float, now: Moment) -> list[Event]:
    """Take an interpreted message into its agency's book and return what follows from it.

    The book is folded forward as it decides; a caller that cannot store the events must drop the book.
    """
    message = arrival.message
    key = key_of(message)
    known = book.digest_of(key)
    if known is not None:
        return [_repeated(arrival, key, known, now)]
    accepted = MessageAccepted(
        at=now,
        agency=arrival.agency,
        mode=arrival.mode,
        message=message,
        statements=arrival.statements,
        findings=arrival.findings,
        raw_sha256=arrival.raw_sha256,
    )
    book.apply(accepted)
    chain = book.chain_of((message.sender, message.identifier))
    assert chain is not None, "apply has just put it there"
    followed = _what_follows(book, chain, arrival.agency, arrival.mode, now)
    if not followed:
        followed = _no_effect(chain, arrival, key, wait_seconds, now)
        for event in followed:
            book.apply(event)
    return [accepted, *followed]


def _repeated(arrival: Arrival, key: MessageKey, known: str, now: Moment) -> Event:
    if known == arrival.raw_sha256:
        return DuplicateArrived(at=now, agency=arrival.agency, mode=arrival.mode, message=key)
    return ConflictingCopyArrived(
        at=now,
        agency=arrival.agency,
        mode=arrival.mode,
        message=key,
        first_sha256=known,
        raw_sha256=arrival.raw_sha256,
    )


def _no_effect(chain: _Chain, arrival: Arrival, key: MessageKey, wait_seconds: float, now: Moment) -> list[Event]:
    head = chain.head()
    if head is not None:
        older = head.key != key
        reason = NoEffect.OLDER_THAN_THE_NEWEST if older else NoEffect.SAYS_NOTHING_HERE
        return [MessageHadNoEffect(at=now, agency=arrival.agency, mode=arrival.mode, message=key, reason=reason)]
    events: list[Event] = [
        MessageHadNoEffect(
            at=now, agency=arrival.agency, mode=arrival.mode, message=key, reason=NoEffect.WAITS_FOR_ITS_ALERT
        )
    ]
    if chain.wait_until is None and arrival.message.message_type is MessageType.UPDATE:
        until = now + timedelta(seconds=wait_seconds)
        events.append(ChainWaited(at=now, agency=arrival.agency, mode=arrival.mode, chain=chain.name, until=until))
    return events


def end_wait(book: ChainBook, *, agency: str, mode: Mode, chain_name: str, now: Moment) -> list[Event]:
    """Let a chain whose first message has not come speak by its newest update; nothing when it waits no longer."""
    chain = book.chain_named(chain_name)
    if chain is None or chain.wait_until is None or now < chain.wait_until:
        return []
    ended = WaitEnded(at=now, agency=agency, mode=mode, chain=chain_name)
    book.apply(ended)
    return [ended, *_what_follows(book, chain, agency, mode, now)]


def _what_follows(book: ChainBook, chain: _Chain, agency: str, mode: Mode, now: Moment) -> list[Event]:
    """The change of contributions that makes what the districts were told equal to what the chain says now.

    Where chains were joined, the joined one speaks before the others fall silent: nothing is lifted in between.
    """
    head = chain.head()
    if head is None:
        return []
    name = chain.name
    changed: list[Event] = []
    entered: tuple[Contribution, ...] = ()
    if head.kind is not MessageType.CANCEL:
        entered = split_by_district(head.statements, chain=name, agency=agency, message=head.key)
    told = chain.told.get(name)
    if (told is None or told.message != head.key) and (entered or (told is not None and told.districts)):
        changed.append(_retold(agency, mode, name, head, entered, told, reason=_end_reason(head), now=now))
    reason = EndReason.JOINED if entered else _end_reason(head)
    for old_name, old in sorted(chain.told.items()):
        if old_name != name and old.districts:
            changed.append(_retold(agency, mode, old_name, head, (), old, reason=reason, now=now))
    for event in changed:
        book.apply(event)
    return changed


def _end_reason(head: _Head) -> EndReason:
    if head.kind is MessageType.CANCEL:
        return EndReason.UNLISTED if head.listed else EndReason.CANCELLED
    return EndReason.AREA_DROPPED


def _retold(  # noqa: PLR0913 -- one event's fields, named where it is built
    agency: str,
    mode: Mode,
    name: str,
    head: _Head,
    entered: tuple[Contribution, ...],
    told: _Told | None,
    *,
    reason: EndReason,
    now: Moment,
) -> ContributionsChanged:
    still = {contribution.district for contribution in entered}
    gone = [district for district in (told.districts if told else ()) if district not in still]
    return ContributionsChanged(
        at=now,
        agency=agency,
        mode=mode,
        chain=name,
        message=head.key,
        message_type=head.kind,
        entered=entered,
        ended=tuple(EndedContribution(district=district, reason=reason) for district in gone),
    )
