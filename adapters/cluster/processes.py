"""What every process of a distributed outlet begins with: the outlet that is there, or patience until it is."""

import logging
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from adapters.cluster.health import OK
from adapters.cluster.reach import KafkaUnavailableError
from adapters.settings import KafkaSettings, Settings
from adapters.store.errors import NewerSchemaError, NoAddressError, StoreError
from adapters.wiring import NothingHereError

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_SECONDS: Final = 2.0


class NotDistributedError(Exception):
    """The settings name no Kafka."""

    def __init__(self) -> None:
        """Say what is missing."""
        super().__init__(
            "this is a process of a distributed outlet: set OUTLET_KAFKA_BOOTSTRAP_SERVERS and OUTLET_DATABASE_URL"
        )


def kafka_of(settings: Settings) -> tuple[KafkaSettings, str]:
    """The settings' Kafka, and the database's address.

    Raises:
        NotDistributedError: they name none.
    """
    if settings.kafka is None or settings.database_url is None:
        raise NotDistributedError
    return settings.kafka, settings.database_url


class Start:
    """Begins what needs others that may not be there yet, and says why it has not begun."""

    def __init__(self) -> None:
        """Nothing has been tried."""
        self.trouble = "not begun yet"

    def when_there(self, begin: Callable[[], T], stop: threading.Event) -> T | None:
        """What comes of it as soon as database, topics and outlet are there; None when told to stop before.

        Raises:
            NewerSchemaError, NoAddressError: waiting would not help.
        """
        while not stop.is_set():
            try:
                begun = begin()
            except (NewerSchemaError, NoAddressError):
                raise
            except (StoreError, NothingHereError, KafkaUnavailableError) as error:
                if str(error) != self.trouble:
                    log.warning("cannot begin yet, and tries again: %s", error)
                self.trouble = str(error)
                stop.wait(RETRY_SECONDS)
            else:
                self.trouble = ""
                return begun
        return None

    def check(self) -> str:
        """`ok`, or why it has not begun."""
        return self.trouble or OK
