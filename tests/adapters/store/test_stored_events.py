"""Events as a released version stored them stay readable: one real sample of each topic, never edited by hand.

A topic that changes gets a new version and an upcaster; its old line stays.
`python -m tests.adapters.store.test_stored_events` adds lines for topics and versions that have none yet.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from adapters.demo import load_story, open_platform, replay
from adapters.store.codec import EventCodec
from domain.events import EVENT_TYPES
from domain.ports import NewEvent

SAMPLES = Path(__file__).parent / "golden" / "events.ndjson"
STREAM = UUID(int=1)
NOT_IN_THE_STORY = frozenset(
    {
        "release-held",
        "release-approved",
        "release-refused",
        "hold-ended",
        "event-parked",
        "conflict-settled",
        "webhook-disabled",
        "feed-fell-silent",
        "feed-heard-again",
        "release-passed-up",
        "passed-up-acknowledged",
        "passing-up-failed",
        "subscription-confirmed",
        "subscription-ended",
        "person-erased",
        "sending-stopped",
        "sending-resumed",
        "drill-started",
        "drill-stopped",
        "warning-assessed",
    }
)
"""What the demonstration never comes to; the domain's own round trips hold these."""


def samples() -> list[tuple[str, bytes]]:
    """(topic with its version, state) of every sample."""
    lines = SAMPLES.read_text(encoding="utf-8").splitlines() if SAMPLES.exists() else []
    return [(line["topic"], json.dumps(line["state"]).encode()) for line in map(json.loads, lines)]


def test_every_stored_sample_is_still_readable_and_says_the_same() -> None:
    codec = EventCodec()
    for topic, state in samples():
        event = codec.event(topic, state)
        again = json.loads(codec.stored(NewEvent(STREAM, 1, event)).state)
        said = json.loads(state)
        assert {name: again[name] for name in said} == said, topic


def test_every_topic_of_the_demonstration_has_a_sample() -> None:
    sampled = {topic.partition(":")[0] for topic, _ in samples()}
    assert set(EVENT_TYPES) - NOT_IN_THE_STORY <= sampled


def add_samples() -> None:
    """Add a line for every topic and version of the demonstration that has none yet."""
    known = {topic for topic, _ in samples()}
    codec = EventCodec()
    SAMPLES.parent.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, open_platform(Path(folder)) as platform:
        for _ in replay(platform, load_story()):
            pass
        with SAMPLES.open("a", encoding="utf-8") as out:
            for recorded in platform.log.read():
                stored = codec.stored(NewEvent(STREAM, 1, recorded.event))
                if stored.topic not in known:
                    known.add(stored.topic)
                    line = {"topic": stored.topic, "state": json.loads(stored.state)}
                    out.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    add_samples()
