"""Drills (演练): one runs at a time under an id of its own, only exercises take part, and with it all of it ends. Pure.

That live and drill never meet is not decided here: they have streams of their own from the first stage on.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from domain.chains import ChainBook
from domain.drill_events import DrillStarted, DrillStopped
from domain.event import Event
from domain.events import EndReason, WaitEnded
from domain.findings import Code, Finding, refusal
from domain.messages import AgencyMessage, Mode
from domain.outlet import End, OutletState, decide, evolve
from domain.policy import Policy
from domain.values import Moment

RUNNING: Final = "drill-running"
NOT_RUNNING: Final = "no-drill"
BAD_TITLE: Final = "drill-title"
EMPTY: Final = "drill-empty"

LONGEST_TITLE: Final = 100
"""Somebody has to type it."""


class DrillError(Exception):
    """A drill cannot be started, served or stopped so. `code` is stable, the sentence is for a duty officer."""

    def __init__(self, code: str, sentence: str) -> None:
        """Keep both."""
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")


def running(newest: Event | None) -> DrillStarted | None:
    """The drill that runs, from the newest event of all drills."""
    return newest if isinstance(newest, DrillStarted) else None


def the_running_drill(newest: Event | None) -> DrillStarted:
    """The drill that runs.

    Raises:
        DrillError: none does.
    """
    drill = running(newest)
    if drill is None:
        raise DrillError(NOT_RUNNING, "no drill runs; `outlet drill start` starts one")
    return drill


def only_one_drill_runs_at_a_time(
    newest: Event | None, *, title: str, by: str, zone: tzinfo, now: Moment
) -> DrillStarted:
    """The start of a drill after what is newest of all drills; `zone` gives its id the outlet's day.

    Raises:
        DrillError: another one runs, nobody starts it, or the title is none that can be typed.
    """
    standing = running(newest)
    if standing is not None:
        raise DrillError(RUNNING, f"{standing.drill} ({standing.title}) runs since {standing.at.isoformat()}")
    title, by = title.strip(), by.strip()
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        sentence = f"the title is one line of 1 to {LONGEST_TITLE} printable characters"
        raise DrillError(BAD_TITLE, sentence)
    if not by:
        raise DrillError(EMPTY, "a drill is started by somebody")
    return DrillStarted(at=now, drill=_next_id(newest, f"{now.astimezone(zone):%Y%m%d}"), title=title, by=by)


def a_running_drill_is_stopped_with_a_reason(
    newest: Event | None, *, by: str, reason: str, now: Moment
) -> DrillStopped:
    """The end of the drill that runs.

    Raises:
        DrillError: none runs, nobody stops it, or nobody says why.
    """
    drill = the_running_drill(newest)
    by, reason = by.strip(), reason.strip()
    if not by or not reason:
        raise DrillError(EMPTY, "a drill is stopped by somebody and with a reason")
    return DrillStopped(at=now, drill=drill.drill, by=by, reason=reason)


def _next_id(newest: Event | None, day: str) -> str:
    """`drill-20261123-1`, counted within the day; no id comes twice, not even after a clock was set back."""
    number = 1
    if isinstance(newest, DrillStarted | DrillStopped):
        _, before, counted = newest.drill.split("-")
        if before >= day:
            day, number = before, int(counted) + 1
    return f"drill-{day}-{number}"


def only_exercises_take_part(messages: Sequence[AgencyMessage]) -> list[Finding]:
    """What refuses a delivery in a drill: a message that says live is never taken for an exercise."""
    return [
        refusal(
            Code.STATUS,
            "/alert/status",
            f"{message.identifier} says {message.status.value}; a drill takes in only what says itself that it is an "
            "exercise (status Exercise or Test), and makes nothing into one",
        )
        for message in messages
        if message.mode is Mode.LIVE
    ]


def everything_that_stands_ends(state: OutletState, *, policy: Policy, now: Moment) -> list[Event]:
    """A district's drill is over: each chain that speaks there ends, whoever began it.

    Raises:
        ValueError: the state is that of live warnings, which no drill ends.
    """
    if state.mode is not Mode.DRILL:
        raise ValueError(f"a drill ends nothing that is {state.mode.value}")
    events: list[Event] = []
    for chain in sorted(state.contributions):
        ended = decide(state, End(chain, EndReason.STOPPED), policy=policy, now=now)
        for event in ended:
            state = evolve(state, event)
        events += ended
    return events


def nothing_is_waited_for_any_more(book: ChainBook, *, agency: str, chain_name: str, now: Moment) -> list[Event]:
    """A chain of a drill that still waits for its first message does not begin to speak after the drill.

    The book is folded forward, as `receive` does.
    """
    chain = book.chain_named(chain_name)
    if chain is None or chain.wait_until is None:
        return []
    ended = WaitEnded(at=now, agency=agency, mode=Mode.DRILL, chain=chain_name)
    book.apply(ended)
    return [ended]
