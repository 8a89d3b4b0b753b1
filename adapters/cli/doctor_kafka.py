"""What `outlet doctor` says about the Kafka of a distributed outlet: topics, the relay, the workers.

Whether every district has been merged is asked of the event log itself: Kafka's own figures say what was acknowledged.
"""

from contextlib import closing
from datetime import timedelta
from typing import Final

from adapters.clocks import SystemClock
from adapters.policies import catalogues
from adapters.settings import KafkaSettings, Settings
from adapters.wiring import opened_log
from domain.events import ContributionsChanged
from domain.policy import parse_policy
from streams.adoption import adopted_policy
from streams.by_district import follower_of, mode_of, slices
from streams.kafka_relay import FOLLOWER
from streams.pipeline import STAGES

MOST_BEHIND: Final = 10_000
"""So far behind the log a relay is still at work; further, it is away or cannot keep up."""

LOOKED_THROUGH: Final = 200_000
"""Of the log's positions, at its end, in which every changed contribution must have been merged."""

GRACE: Final = timedelta(minutes=1)
"""What came within it is under way."""


def topics_are_as_declared(settings: Settings) -> tuple[bool, str]:
    """Whether the broker answers and has every topic in the form that it is declared in; nothing is made."""
    from adapters.cluster.topics import State, compared

    kafka = _kafka(settings)
    with closing(opened_log(settings, may_create=False)) as log:
        adopted = adopted_policy(log)
    if adopted is None:
        return False, "no policy has been adopted"
    agencies = [agency.id for agency in parse_policy(adopted.text, catalogues()).agencies]
    checked = compared(kafka, agencies)
    wrong = [
        f"{one.topic.name} {'is missing' if one.state is State.MISSING else f'has {one.difference}'}"
        for one in checked
        if one.state is not State.THERE
    ]
    if wrong:
        return False, f"{'; '.join(wrong)} (see `outlet topics`)"
    return True, f"{len(checked)} topics at {kafka.brokers.servers}, all as declared"


def relay_keeps_up(settings: Settings) -> tuple[bool, str]:
    """Whether what is in the log has been produced."""
    with closing(opened_log(settings, may_create=False)) as log:
        head, position = log.head(), log.follower_position(FOLLOWER)
    return head - position <= MOST_BEHIND, f"at {position}, the log's head is {head}"


def every_district_is_merged(settings: Settings) -> tuple[bool, str]:
    """Whether workers have dealt with every changed contribution: what they have not is not in any warning."""
    merge = STAGES[0]
    with closing(opened_log(settings, may_create=False)) as log:
        head, until = log.head(), SystemClock().now() - GRACE
        newest: dict[str, int] = {}
        for recorded in log.read(after=max(0, head - LOOKED_THROUGH), topics=frozenset({ContributionsChanged.TOPIC})):
            if recorded.event.at > until:
                break
            for district, _ in slices(recorded):
                newest[follower_of(merge, mode_of(recorded.event), district)] = recorded.position
        before = log.follower_position(merge.name)
        reached = log.follower_positions(newest)
    late = sorted(name for name, position in newest.items() if max(reached[name], before) < position)
    if late:
        again = min(reached[name] for name in late)
        return False, (
            f"{len(late)} districts wait for a worker, among them {', '.join(late[:5])}; "
            f"should the workers have no lag, `outlet relay --from {again}` brings it again"
        )
    return True, f"{len(newest)} districts, all merged"


def _kafka(settings: Settings) -> KafkaSettings:
    assert settings.kafka is not None, "asked of a distributed outlet alone"
    return settings.kafka
