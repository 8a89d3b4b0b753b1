"""What people say of warnings afterwards: a warning that nothing came of, and an event that no warning came before."""

from typing import Final, Literal

from domain.event import Event
from domain.levels import Level
from domain.values import Moment


class WarningAssessed(Event):
    """Somebody has looked at what came: the warning was right, or false, or an event was missed.

    A missed event has no warning: district, hazard and `happened` say what it was.
    """

    TOPIC = "warning-assessed"

    verdict: Literal["hit", "false", "missed"]
    district: str
    hazard: str
    warning_id: str = ""
    level: Level | None = None
    happened: Moment | None = None
    note: str = ""
    by: str


ASSESSMENT_EVENTS: Final[tuple[type[Event], ...]] = (WarningAssessed,)
