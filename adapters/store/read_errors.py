"""What can go wrong with the read tables."""

from adapters.store.errors import StoreError
from domain.ports import LogUnavailableError


class ReadTablesUnavailableError(StoreError, LogUnavailableError):
    """The database refused: locked for too long, disk full, damaged file. Nothing of this call was written.

    To be tried again as when the log itself is out of reach: it says nothing about what was being done.
    """
