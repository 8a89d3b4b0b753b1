"""What a platform has come to, in a form that two runs can be compared by; and feeding it a stream of messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from adapters.wiring import Platform
from domain.events import EventParked
from domain.messages import Mode
from domain.sections import Section
from projections.board import board
from streams.intake import Delivery, Receipt
from tests.streams.messages import at
from tests.streams.traffic import DISTRICTS, Sent

Sections = dict[tuple[str, str], tuple[Section, ...]]


def sections_of(platform: Platform) -> Sections:
    """The sections of every district and mode, folded anew from the log."""
    platform.house.ledger.forget()
    return {
        (mode.value, district): platform.house.ledger.outlet(district, mode).sections
        for mode in Mode
        for district in DISTRICTS
    }


def board_of(platform: Platform, mode: Mode = Mode.LIVE, moment: datetime | None = None) -> list[dict[str, Any]]:
    """The board's districts, without the numbers that depend on how many revisions led here."""
    shown = board(
        platform.tables,
        at=moment or platform.clock.now(),
        mode=mode,
        policy=platform.policy,
        gazetteer_names={},
    )
    counted = {"warning_id", "revision", "released_revision"}
    return [{key: value for key, value in one.items() if key not in counted} for one in shown["districts"]]


def parked_in(platform: Platform) -> list[EventParked]:
    """Everything that a stage could not process."""
    return [r.event for r in platform.log.read() if isinstance(r.event, EventParked)]


def feed(platform: Platform, sent: Sequence[Sent], *, batch: int = 10) -> list[Receipt]:
    """Deliver in batches, the clock going on to the newest message of each; never back."""
    receipts: list[Receipt] = []
    for start in range(0, len(sent), batch):
        some = sent[start : start + batch]
        newest = max([at(one.minutes) for one in some])
        if newest > platform.clock.now():
            platform.advance(newest)
        receipts += platform.runner.submit([Delivery(one.content, None, "test") for one in some])
        platform.runner.pump()
    return receipts
