"""What an agency said, as it said it: one alert, update or cancel, never changed afterwards.

The shape is CAP 1.2's, since every format that we read maps onto it; names are CAP's. Readers in
`adapters/cap`, `adapters/cn12379` and `adapters/feeds` build these; `domain/interpretation.py` gives them meaning.
"""

from enum import StrEnum

from pydantic import Field

from domain.areas import AreaClaim
from domain.certificates import SignedBy
from domain.findings import Finding
from domain.levels import Level
from domain.values import Language, Moment, Value


class MessageFormat(StrEnum):
    """The forms in which messages come."""

    CAP = "cap"
    CN12379 = "cn12379"
    LIST = "list"


class Status(StrEnum):
    """CAP `status`. Only Actual is live; Exercise and Test are drill; System and Draft are not processed."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MessageType(StrEnum):
    """CAP `msgType`. Ack and Error are read and answered, but carry no warning."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Mode(StrEnum):
    """Live or drill. They never share a stream, a channel or a word."""

    LIVE = "live"
    DRILL = "drill"


class Reference(Value):
    """An earlier message that this one names. 12379 gives the identifier alone."""

    identifier: str
    sender: str | None = None
    sent: Moment | None = None


class Named(Value):
    """A `valueName` / `value` pair, as in CAP's eventCode and parameter."""

    name: str
    value: str


class Resource(Value):
    """A file that belongs to a message; only its description and address are kept."""

    description: str
    mime_type: str = ""
    uri: str = ""


class Info(Value):
    """One `info` block. Text fields are byte for byte the sender's, white space included.

    `level` is set by readers whose format has levels of its own (12379 severity, list colours); for CAP it stays
    None and the policy derives it from `severity` or a parameter.
    """

    language: Language
    event: str
    event_codes: tuple[Named, ...] = ()
    categories: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ()
    urgency: str = "Unknown"
    severity: str = "Unknown"
    certainty: str = "Unknown"
    level: Level | None = None
    audience: str = ""
    effective: Moment | None = None
    onset: Moment | None = None
    expires: Moment | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameters: tuple[Named, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[AreaClaim, ...] = ()


class AgencyMessage(Value):
    """One message as read: its triple (sender, identifier, sent) identifies it in every feed.

    `notes` are the reader's findings that did not refuse it. `listed` is true where a list shows it: such a
    message lasts exactly as long as it is listed, whatever its text or a default says. `signature` is set where all of
    this was read out of the bytes that a signature covers, and out of nothing else.
    """

    format: MessageFormat
    sender: str
    identifier: str
    sent: Moment
    status: Status
    message_type: MessageType
    scope: str = "Public"
    source: str = ""
    note: str = ""
    codes: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    infos: tuple[Info, ...] = ()
    listed: bool = False
    notes: tuple[Finding, ...] = ()
    signature: SignedBy | None = Field(default=None, exclude_if=lambda signature: signature is None)
    """Left out of what is stored where there is none: few messages are signed."""

    @property
    def mode(self) -> Mode:
        """Live for Actual, drill for everything else: nothing but Actual can ever reach the public."""
        return Mode.LIVE if self.status is Status.ACTUAL else Mode.DRILL
