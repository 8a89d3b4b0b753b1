"""One reader for whatever bytes arrive: it looks which format they are in and hands them to that format's reader."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adapters.cap.checks import CapChecks
from adapters.cap.json_messages import JsonMessageReader
from adapters.cap.reader import CapReader
from adapters.cn12379.archive import is_archive
from adapters.cn12379.reader import Cn12379Reader
from domain.findings import Code, RefusedMessageError, refusal
from domain.messages import AgencyMessage
from domain.policy import Policy

if TYPE_CHECKING:
    from adapters.cap.certificates import Certificates

CN12379_MARKS = (b"http://com.icss.amp", b"<senderCode", b"<sendTime")
"""What only a 12379 document has; looked for in its first bytes, in the encodings that XML allows."""

LOOKED_AT_BYTES = 4096

LARGEST_BLANK_BYTES = 64 * 1024
"""So far is the first sign of a message sought; what begins later is none that is read."""


class AnyReader:
    """A `MessageReader` for CAP 1.0 to 1.2 as XML or JSON, EDXL envelopes, 12379 XML and its zip."""

    def __init__(self, policy: Policy | None = None, *, checks: CapChecks | None = None) -> None:
        """`policy` says how strict the CAP reader is, else `checks` do; without either its defaults stand.

        Raises:
            ValidationError: the policy names a check that the reader does not have.
            PolicyError: an agency's certificate cannot be used.
        """
        if policy is not None:
            checks = CapChecks.model_validate(dict(policy.reading.checks))
        self._cap = CapReader(checks, pinned=_pinned(policy) if policy else None)
        self._cn12379 = Cn12379Reader()
        self._json = JsonMessageReader(self._cap)

    def read(self, content: bytes) -> Sequence[AgencyMessage]:
        """The messages in these bytes.

        Raises:
            RefusedMessageError: with every finding.
        """
        head = content[:LARGEST_BLANK_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
        if not head and len(content) <= LARGEST_BLANK_BYTES:
            raise RefusedMessageError([refusal(Code.EMPTY, "/", "there are no bytes, or only white space")])
        if is_archive(content) or _is_cn12379(content[:LOOKED_AT_BYTES]):
            return self._cn12379.read(content)
        if head[:1] in {b"{", b"["}:
            return self._json.read(content)
        return self._cap.read(content)


def _pinned(policy: Policy) -> "Certificates | None":
    """The policy's certificates; the cryptography is loaded only for a policy that has any."""
    if not any(agency.certificates for agency in policy.agencies):
        return None
    from adapters.cap.certificates import pinned_certificates  # noqa: PLC0415

    return pinned_certificates(policy)


def _is_cn12379(head: bytes) -> bool:
    plain = head.replace(b"\x00", b"")  # UTF-16 and UTF-32 text of ASCII letters
    return any(mark in plain for mark in CN12379_MARKS)
