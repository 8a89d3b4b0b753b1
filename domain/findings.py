"""What a reader, the interpretation or a rule has to say about a message: a stable code, a path, a sentence.

Codes are part of the public interface: partners' programs match on them, so a code is never renamed or reused.
The sentence is for a duty officer; the path says where in the document.
"""

from collections.abc import Sequence
from enum import StrEnum

from domain.values import Value


class Code(StrEnum):
    """Every reason for which a message is refused or noted. The comment behind each says when it applies."""

    # the bytes
    EMPTY = "empty"  # no bytes, or white space only
    TOO_LARGE = "too-large"  # larger than the reader's limit in bytes
    NOT_UTF8 = "encoding"  # the bytes are not text in the encoding they claim
    NOT_XML = "not-xml"  # not well-formed XML
    NOT_JSON = "not-json"  # not well-formed JSON
    UNKNOWN_FORMAT = "unknown-format"  # none of the formats that we read
    DTD = "dtd"  # a document type declaration: refused before anything else is read
    TOO_DEEP = "too-deep"  # elements nested deeper than the limit
    TOO_MANY_NODES = "too-many-nodes"  # more elements or attributes than the limit
    NAMESPACE = "namespace"  # the root's namespace is none that we read
    SCHEMA = "schema"  # the format's XSD is not satisfied
    ENVELOPE = "envelope"  # an envelope (EDXL, feed, zip) that holds no message, or several where one is due

    # the fields
    MISSING = "missing"  # a required element is absent or empty
    VALUE = "value"  # a value is outside what the format allows
    TIME = "time"  # not a time
    TIME_ZONE = "time-zone"  # a time without a zone
    TIME_RANGE = "time-range"  # a year that cannot be meant (2568), or far from the arrival
    EXPIRES_BEFORE_SENT = "expires-before-sent"
    EXPIRED = "expired"  # had ended before it arrived
    IDENTIFIER = "identifier"  # characters that CAP forbids, or not the form the format prescribes
    REFERENCES = "references"  # malformed, or missing where an update or cancel needs one
    STATUS = "status"  # a status we do not process (Draft)
    MESSAGE_TYPE = "message-type"  # Ack and Error carry no warning
    LANGUAGE = "language"  # not a language tag
    POLYGON = "polygon"  # not closed, fewer than four points, crossing itself, or no area
    COORDINATES = "coordinates"  # outside latitude ±90 / longitude ±180, or swapped
    CIRCLE = "circle"
    GEOCODE = "geocode"
    SIGNATURE = "signature"  # a signature that does not verify, or not over the whole message
    LIMIT = "limit"  # longer than what one message may hold
    WHITESPACE = "whitespace"  # harmless: stray white space that was trimmed
    INCOMPLETE_NOTE = "incomplete"  # content the law asks for is missing: instruction, effective, area text

    # the meaning
    UNKNOWN_HAZARD = "unknown-hazard"
    UNKNOWN_LEVEL = "unknown-level"
    UNKNOWN_AGENCY = "unknown-agency"
    UNKNOWN_PLACE = "unknown-place"  # one place of several could not be resolved; the others stand
    NO_AREA = "no-area"  # no usable area at all: never "everywhere"
    OUTSIDE = "outside"  # wholly outside the districts of this outlet
    PARTLY_OUTSIDE = "partly-outside"
    REMIT_AGENCY = "remit-agency"  # the agency is disabled or may not send in this mode
    REMIT_SENDER = "remit-sender"  # the agency may not speak for this sender
    REMIT_HAZARD = "remit-hazard"
    REMIT_AREA = "remit-area"
    REMIT_LEVEL = "remit-level"
    NO_SIGNATURE = "no-signature"  # the agency signs its messages, and this one has no signature
    SIGNATURE_KEY = "signature-key"  # signed with a certificate that is none of the agency's
    SIGNATURE_TIME = "signature-time"  # the certificate has expired, or is not valid yet, when the message arrives
    LANGUAGES_DIFFER = "languages-differ"  # languages of one message disagree on hazard, level, areas or times

    # the chain
    DUPLICATE = "duplicate"  # the same message again, byte for byte
    CONFLICTING_COPY = "conflicting-copy"  # same sender, identifier and sent, other bytes: the first stands
    FOREIGN_REFERENCE = "foreign-reference"  # references a message of another agency: never acted on

    # the house
    INTERNAL = "internal"  # a defect of ours; the message is parked and nothing is lost


class Finding(Value):
    """One thing found in a message.

    `path` is an XPath-like path in the document (`/alert/info[1]/expires`) or `/` for the whole; `sentence` is
    English and complete; `refuses` says whether the message is refused because of it or merely noted.
    """

    code: Code
    path: str
    sentence: str
    refuses: bool


def refusal(code: Code, path: str, sentence: str) -> Finding:
    """A finding for which the message is refused."""
    return Finding(code=code, path=path, sentence=sentence, refuses=True)


def note(code: Code, path: str, sentence: str) -> Finding:
    """A finding that is recorded beside an accepted message."""
    return Finding(code=code, path=path, sentence=sentence, refuses=False)


class RefusedMessageError(Exception):
    """The one error a reader raises, with all that it found (at least one refusal)."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Keep every finding, refusals and notes, in document order."""
        self.findings = tuple(findings)
        super().__init__("; ".join(f"{found.code}: {found.sentence}" for found in self.findings))
