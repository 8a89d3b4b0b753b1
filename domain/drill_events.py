"""What is recorded of drills: when one was started and stopped, by whom. Its messages are those of any warning."""

from typing import Final

from domain.event import Event


class DrillStarted(Event):
    """A drill may begin: from now on its messages are taken in, on drill streams alone."""

    TOPIC = "drill-started"

    drill: str
    title: str
    by: str


class DrillStopped(Event):
    """The drill is over: everything that stood in it has been ended."""

    TOPIC = "drill-stopped"

    drill: str
    by: str
    reason: str


DRILL_EVENTS: Final[tuple[type[Event], ...]] = (DrillStarted, DrillStopped)
