"""What is recorded of passing up, as events in the parent's own stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.http.public.source import Outlet
from adapters.upward.answers import Verdict
from adapters.upward.definition import ParentDefinition
from domain.edge_events import PassedUpAcknowledged, PassingUpFailed, ReleasePassedUp
from domain.event import Event
from domain.outlet import stream_id_of
from domain.passing_up import Reason, reason_text
from streams.embedded import EmbeddedRunner


class House(Outlet, Protocol):
    """A platform, as far as passing up needs it: what the public sees, and where events are recorded."""

    @property
    def runner(self) -> EmbeddedRunner:
        """Where events are recorded."""
        ...


@dataclass(frozen=True)
class Records:
    """Records what happens between this outlet and one parent."""

    house: House
    parent: ParentDefinition

    def passed(self, position: int, warning_id: str, documents: Sequence[str], note: str = "") -> None:
        """A release was handed over."""
        self._record(
            ReleasePassedUp(
                at=self.house.clock.now(),
                parent=self.parent.id,
                form=self.parent.form.value,
                position=position,
                warning_id=warning_id,
                documents=tuple(documents),
                note=note,
            )
        )

    def answered(self, position: int, document: str, verdict: Verdict) -> None:
        """The parent answered a document."""
        self._record(
            PassedUpAcknowledged(
                at=self.house.clock.now(),
                parent=self.parent.id,
                form=self.parent.form.value,
                position=position,
                document=document,
                accepted=verdict.accepted,
                error_code=verdict.error_code,
                note=verdict.note,
            )
        )

    def failed(self, position: int, reason: Reason, sentence: str, *, final: bool) -> None:
        """A release did not come through, or its acknowledgement is missing."""
        self._record(
            PassingUpFailed(
                at=self.house.clock.now(),
                parent=self.parent.id,
                form=self.parent.form.value,
                position=position,
                reason=reason_text(reason, sentence),
                final=final,
            )
        )

    def _record(self, event: Event) -> None:
        self.house.runner.record(stream_id_of("parent", self.parent.id), event)
