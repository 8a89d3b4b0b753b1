"""What can go wrong in a store, by name. Conflicts between writers are `domain.ports.VersionConflictError`."""

from domain.ports import LogUnavailableError


class StoreError(Exception):
    """The base of every error of a store."""


class EventLogClosedError(StoreError, LogUnavailableError):
    """The log was closed before this call; nothing of it was stored or read."""


class EventLogUnavailableError(StoreError, LogUnavailableError):
    """The database refused: locked for too long, disk full, damaged file. Nothing of this append was stored."""


class AppendOutcomeUnknownError(EventLogUnavailableError):
    """The database went away while it was storing, and stayed away: this append is stored whole or not at all."""


class NewerSchemaError(StoreError):
    """The log was written by a newer version of the platform, whose tables this version does not know."""


class NoAddressError(StoreError):
    """What was given as a database's address is none. It is not repeated: there may be a password in it."""


class NoSchemaError(StoreError):
    """The database holds no event log, and this process may not make one."""


class WrongDigestError(StoreError):
    """An attachment's bytes do not have the SHA-256 under which they are, or were to be, kept."""


class TooLargeError(StoreError):
    """An event or attachment is larger than a log may be asked to keep. Nothing of this append was stored."""


class CodecError(StoreError):
    """An event cannot be turned into bytes, or bytes into an event."""


class UnknownEventTypeError(CodecError):
    """No class is registered for this topic, or no topic for this class."""


class UnknownEventVersionError(CodecError):
    """The stored version is newer than this program's, or no upcaster leads on from it."""


class UnreadableEventError(CodecError):
    """The stored bytes are not an event of their topic and version."""
