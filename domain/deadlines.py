"""What falls due at a moment: an expiry, the end of a wait, a grouped release, an approval's deadline."""

from enum import StrEnum

from domain.messages import Mode
from domain.values import Moment, Value


class DueKind(StrEnum):
    """What falls due."""

    EXPIRY = "expiry"
    WAIT = "wait"
    RELEASE = "release"
    APPROVAL = "approval"


class Due(Value):
    """A deadline: `owner` is the district (the agency for a wait), `key` the chain or hazard concerned."""

    kind: DueKind
    mode: Mode
    owner: str
    key: str = ""
    at: Moment
