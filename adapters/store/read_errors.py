"""What can go wrong with the read tables."""

from adapters.store.errors import StoreError


class ReadTablesUnavailableError(StoreError):
    """The database refused: locked for too long, disk full, damaged file. Nothing of this call was written."""
