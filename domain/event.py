"""The base of every recorded fact.

An event is frozen, named in the past tense, and carries an explicit TOPIC and VERSION: stored events outlive the
code that wrote them. The facts themselves are in `events.py`.
"""

from typing import ClassVar

from domain.values import Moment, Value


class Event(Value):
    """Something that happened. `at` is the clock's time at the decision, never the time of a message's text."""

    TOPIC: ClassVar[str]
    VERSION: ClassVar[int] = 1

    at: Moment
