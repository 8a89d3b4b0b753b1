"""What must hold in every world, looked at after every step on the log itself and not on what a platform believes."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from adapters.wiring import Platform
from domain.contributions import Contribution, MessageKey
from domain.events import (
    ConflictingCopyArrived,
    ContributionEnded,
    ContributionRecorded,
    ContributionsChanged,
    DuplicateArrived,
    EventParked,
    MessageAccepted,
    MessageHadNoEffect,
    MessageRejected,
    WarningReleased,
)
from domain.messages import Mode
from domain.ports import RecordedEvent
from domain.release import releasable_sections
from domain.sections import Section, changes_between
from projections.board import revision_at, sections_of
from streams.intake import Outcome, Receipt
from tests.streams.traffic import DISTRICTS, Sent

ANSWERS = (MessageAccepted, MessageRejected, DuplicateArrived, ConflictingCopyArrived)

District = tuple[Mode, str]


class Watch:
    """Follows the log from its first event and holds each promise against what it finds there."""

    def __init__(self, platform: Platform) -> None:
        """Look through this platform's log; any platform on the folder shows the same."""
        self.platform = platform
        self.position = 0
        self.answers = 0
        self.end: datetime | None = None
        self.found: Counter[str] = Counter()
        self.modes: dict[MessageKey, Mode] = {}
        self.standing: dict[District, dict[str, Contribution]] = {}
        self.silenced: dict[tuple[Mode, str, str], MessageKey] = {}
        self.released: dict[District, tuple[Section, ...]] = {}
        self.unexplained: RecordedEvent | None = None

    def answered(self, sent: Sequence[Sent], receipts: Sequence[Receipt]) -> None:
        """Every delivery is answered: accepted with its effect or districts, or refused with its findings."""
        assert len(sent) == len(receipts)
        self.answers += len(receipts)
        for receipt in receipts:
            if receipt.outcome is Outcome.ACCEPTED:
                assert receipt.effect or receipt.districts
            elif receipt.outcome is Outcome.REJECTED:
                assert any(found.refuses for found in receipt.findings)

    def look(self) -> None:
        """Hold every event that has come since against the promises."""
        for recorded in self.platform.log.read(after=self.position):
            self._look_at(recorded)
            self.end = max(self.end or recorded.event.at, recorded.event.at)
            self.position = recorded.position
        assert self.unexplained is None, f"accepted without effect or reason: {self.unexplained}"
        assert sum(self.found[kind.TOPIC] for kind in ANSWERS) == self.answers, "an answer without its event"

    def _look_at(self, recorded: RecordedEvent) -> None:
        event = recorded.event
        self.found[event.TOPIC] += 1
        if self.unexplained is not None:
            assert isinstance(event, ContributionsChanged | MessageHadNoEffect), "an accepted message says what it did"
            self.unexplained = None
        match event:
            case MessageAccepted():
                self.unexplained = recorded
                self.modes[
                    MessageKey.model_validate(event.message.model_dump(include=set(MessageKey.model_fields)))
                ] = event.mode
            case ContributionRecorded():
                self._recorded(event)
            case ContributionEnded():
                self._ended(event)
            case WarningReleased():
                self._released(event)
            case EventParked():
                raise AssertionError(f"parked: {event}")
            case _:
                pass

    def _recorded(self, event: ContributionRecorded) -> None:
        said = event.contribution
        assert self.modes[said.message] is event.mode, "live and drill have met"
        ended = self.silenced.get((event.mode, event.district, said.chain))
        assert ended is None or ended.sent < said.message.sent, f"{said.chain} came back by an older message"
        self.standing.setdefault((event.mode, event.district), {})[said.chain] = said

    def _ended(self, event: ContributionEnded) -> None:
        ended = self.standing[event.mode, event.district].pop(event.chain)
        self.silenced[event.mode, event.district, event.chain] = event.message or ended.message

    def _released(self, event: WarningReleased) -> None:
        """What is released stands in the district now, or was released before and is kept while people decide."""
        district = (event.mode, event.district)
        said = {(chain, one.message) for chain, one in self.standing.get(district, {}).items()}
        before = {section.hazard: section for section in self.released.get(district, ())}
        for section in event.sections:
            assert section.expires is None or event.at < section.expires, "released after its end"
            if section != before.get(section.hazard):
                assert {(one.chain, one.message) for one in section.contributors} <= said, "released, not in force"
            assert {self.modes[one.message] for one in section.contributors} == {event.mode}
        assert (event.mode is Mode.DRILL) == event.identifier.startswith("drill-")
        self.released[district] = event.sections

    def board_is_the_ledger(self, platform: Platform) -> None:
        """The last recorded revision that the read tables know is what the district's stream folds to."""
        platform.house.ledger.refresh()
        self.look()
        assert self.end is not None
        for mode in Mode:
            for district in DISTRICTS:
                row = revision_at(platform.tables, district=district, mode=mode, at=self.end)
                assert (sections_of(row) if row else ()) == platform.house.ledger.outlet(district, mode).sections

    def at_rest(self, platform: Platform) -> None:
        """When nothing is due any more, nothing is left to do: all is public that may be."""
        self.board_is_the_ledger(platform)
        now = platform.clock.now()
        due = platform.runner.next_due()
        assert due is None or due > now
        for mode in Mode:
            for district in DISTRICTS:
                state = platform.house.ledger.outlet(district, mode)
                if state.due is None or state.due <= now:
                    may_be_public = releasable_sections(state, platform.policy, now)
                    assert changes_between(state.released, may_be_public) == (), "what may be public is not"
                assert all(section.expires is None or now < section.expires for section in state.sections)
        assert platform.log.follower_position("merge") <= platform.log.head()
