"""What every stage is given: the policy, the gazetteer, the ledger, the writer of documents, and who may be told."""

from dataclasses import dataclass
from typing import Protocol

from domain.events import WarningReleased
from domain.policy import Policy
from domain.ports import Gazetteer
from domain.routing import Audience, People
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
    audience: Audience[People] | None = None
