"""What every stage is given: the policy in force, the gazetteer, the ledger and the writer of released documents."""

from dataclasses import dataclass
from typing import Protocol

from domain.events import WarningReleased
from domain.policy import Policy
from domain.ports import Gazetteer
from streams.ledger import Ledger


class DocumentWriter(Protocol):
    """Writes the document that a release is frozen with."""

    def document(self, release: WarningReleased) -> str:
        """The release as a CAP 1.2 document."""
        ...


@dataclass(slots=True)
class House:
    """The stages' surroundings. The policy changes by adoption alone, between two events."""

    policy: Policy
    gazetteer: Gazetteer
    ledger: Ledger
    writer: DocumentWriter
