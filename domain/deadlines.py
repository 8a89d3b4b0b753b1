"""What falls due at a moment: an expiry, the end of a wait, a grouped release, an approval's deadline, a call-up."""

from enum import StrEnum

from domain.messages import Mode
from domain.values import Moment, Value


class DueKind(StrEnum):
    """What falls due."""

    EXPIRY = "expiry"
    WAIT = "wait"
    RELEASE = "release"
    APPROVAL = "approval"
    CALL_UP = "call-up"


class Due(Value):
    """A deadline: `owner` is the district (the agency for a wait, the warning for a call-up).

    `key` is the chain or hazard concerned, or the round of a call-up.
    """

    kind: DueKind
    mode: Mode
    owner: str
    key: str = ""
    at: Moment
