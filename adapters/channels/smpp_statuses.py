"""What an SMSC's `command_status` says of a letter, and of the route it was handed to (SMPP v3.4, 5.1.3). Pure."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, assert_never

from adapters.channels.port import Later, Outcome, Refused
from adapters.channels.smpp_definition import SmppDefinition

OK: Final = 0
INVALID_COMMAND: Final = 0x03
NOT_BOUND: Final = 0x04
TEMPORARY_ERROR: Final = 0x64


class Meaning(Enum):
    """To whom or what a status belongs."""

    THROTTLED = auto()  # we are too fast
    ROUTE = auto()  # no letter will pass at the moment, or not until somebody mends the settings
    NOT_NOW = auto()  # this one did not pass; another may
    LETTER = auto()  # this one will never pass here
    DEAD_NUMBER = auto()  # nobody has that number


@dataclass(frozen=True, slots=True)
class _Status:
    name: str
    meaning: Meaning


_STATUSES: Final = {
    0x01: _Status("ESME_RINVMSGLEN", Meaning.LETTER),
    0x02: _Status("ESME_RINVCMDLEN", Meaning.LETTER),
    0x03: _Status("ESME_RINVCMDID", Meaning.ROUTE),
    0x04: _Status("ESME_RINVBNDSTS", Meaning.ROUTE),
    0x05: _Status("ESME_RALYBND", Meaning.ROUTE),
    0x06: _Status("ESME_RINVPRTFLG", Meaning.ROUTE),
    0x07: _Status("ESME_RINVREGDLVFLG", Meaning.ROUTE),
    0x08: _Status("ESME_RSYSERR", Meaning.ROUTE),
    0x0A: _Status("ESME_RINVSRCADR", Meaning.ROUTE),
    0x0B: _Status("ESME_RINVDSTADR", Meaning.DEAD_NUMBER),
    0x0D: _Status("ESME_RBINDFAIL", Meaning.ROUTE),
    0x0E: _Status("ESME_RINVPASWD", Meaning.ROUTE),
    0x0F: _Status("ESME_RINVSYSID", Meaning.ROUTE),
    0x14: _Status("ESME_RMSGQFUL", Meaning.THROTTLED),
    0x15: _Status("ESME_RINVSERTYP", Meaning.ROUTE),
    0x43: _Status("ESME_RINVESMCLASS", Meaning.ROUTE),
    0x45: _Status("ESME_RSUBMITFAIL", Meaning.NOT_NOW),
    0x48: _Status("ESME_RINVSRCTON", Meaning.ROUTE),
    0x49: _Status("ESME_RINVSRCNPI", Meaning.ROUTE),
    0x50: _Status("ESME_RINVDSTTON", Meaning.ROUTE),
    0x51: _Status("ESME_RINVDSTNPI", Meaning.ROUTE),
    0x53: _Status("ESME_RINVSYSTYP", Meaning.ROUTE),
    0x58: _Status("ESME_RTHROTTLED", Meaning.THROTTLED),
    0x61: _Status("ESME_RINVSCHED", Meaning.ROUTE),
    0x62: _Status("ESME_RINVEXPIRY", Meaning.NOT_NOW),
    0x64: _Status("ESME_RX_T_APPN", Meaning.NOT_NOW),
    0x65: _Status("ESME_RX_P_APPN", Meaning.LETTER),
    0x66: _Status("ESME_RX_R_APPN", Meaning.LETTER),
    0xC0: _Status("ESME_RINVOPTPARSTREAM", Meaning.LETTER),
    0xC1: _Status("ESME_ROPTPARNOTALLWD", Meaning.LETTER),
    0xC2: _Status("ESME_RINVPARLEN", Meaning.LETTER),
    0xC3: _Status("ESME_RMISSINGOPTPARAM", Meaning.LETTER),
    0xC4: _Status("ESME_RINVOPTPARAMVAL", Meaning.LETTER),
    0xFE: _Status("ESME_RDELIVERYFAILURE", Meaning.NOT_NOW),
    0xFF: _Status("ESME_RUNKNOWNERR", Meaning.NOT_NOW),
}


def status_name(status: int) -> str:
    """Its name in the protocol; a vendor's own as its number."""
    known = _STATUSES.get(status)
    return known.name if known else f"status 0x{status:08x}"


def meaning_of(status: int, definition: SmppDefinition) -> Meaning:
    """What it means on this route. One that nobody has explained is tried again: it may be of any kind."""
    if status in definition.throttled_statuses:
        return Meaning.THROTTLED
    if status in definition.refused_statuses:
        return Meaning.LETTER
    if status in definition.dead_statuses:
        return Meaning.DEAD_NUMBER
    known = _STATUSES.get(status)
    return known.meaning if known else Meaning.NOT_NOW


def outcome_of(status: int, meaning: Meaning, *, pause_seconds: float = 0.0) -> Outcome:
    """What a refusal of a `submit_sm` says of its letter; `pause_seconds` is how long the route rests."""
    reason = f"submit_sm: {status_name(status)}"
    match meaning:
        case Meaning.THROTTLED:
            return Later(reason, after_seconds=pause_seconds)
        case Meaning.ROUTE:
            return Later(reason, is_route_down=True)
        case Meaning.NOT_NOW:
            return Later(reason)
        case Meaning.LETTER:
            return Refused(reason)
        case Meaning.DEAD_NUMBER:
            return Refused(reason, address_is_dead=True)
        case _:
            assert_never(meaning)
