"""One step of one district: decide, then decide what becomes public, then freeze what did.

Merge, lapse, release and a duty officer's decisions all go through here, so that a revision and its release are
decided on the same state and stored together.
"""

from domain.event import Event
from domain.events import WarningReleased
from domain.messages import Mode
from domain.outlet import Command, Lapse, decide
from domain.release import Approve, Consider, Refuse, ReleaseCommand, decide_release
from domain.values import Moment
from streams.house import House
from streams.park import frozen


def act(house: House, district: str, mode: Mode, command: Command | ReleaseCommand, now: Moment) -> list[Event]:
    """Carry out a command on a district and everything that becomes public by it; returns the events.

    Raises:
        ReleaseError: a person's decision does not fit what is held.
    """
    ledger = house.ledger
    change: Command
    then: ReleaseCommand
    if isinstance(command, Approve | Refuse | Consider):
        change, then = Lapse(), command  # what has expired goes first: nothing that has ended may become public
    else:
        change, then = command, Consider()
    events = decide(ledger.outlet(district, mode), change, policy=house.policy, now=now)
    state = ledger.add_to_district(district, mode, events)
    public = decide_release(state, then, policy=house.policy, now=now)
    public = [frozen(house, event) if isinstance(event, WarningReleased) else event for event in public]
    ledger.add_to_district(district, mode, public)
    return [*events, *public]
