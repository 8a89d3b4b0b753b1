"""What the clock does: expired statements end, waits are over, grouped and held releases become due, call-ups go on."""

from typing import assert_never

from domain.deadlines import Due, DueKind
from domain.outlet import Lapse
from domain.release import Consider
from domain.values import Moment
from streams.callup import climb_call_ups
from streams.district import act
from streams.house import House
from streams.intake import end_waits


def fall_due(house: House, due: Due, now: Moment) -> None:
    """Act on one deadline that has passed. Acting twice does nothing more."""
    match due.kind:
        case DueKind.EXPIRY:
            act(house, due.owner, due.mode, Lapse(), now)
        case DueKind.RELEASE | DueKind.APPROVAL:
            act(house, due.owner, due.mode, Consider(), now)
        case DueKind.WAIT:
            end_waits(house, due.owner, due.mode, due.key, now)
        case DueKind.CALL_UP:
            climb_call_ups(house, due.mode, due.owner, now)
        case _:
            assert_never(due.kind)
