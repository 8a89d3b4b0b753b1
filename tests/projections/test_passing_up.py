"""What went up and what came back, as the read tables tell it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.store.read_tables import SqlReadTables
from adapters.store.sqlite_log import SqliteEventLog
from domain.edge_events import PassedUpAcknowledged, PassingUpFailed, ReleasePassedUp
from domain.event import Event
from domain.outlet import stream_id_of
from domain.ports import NewEvent
from projections import PROJECTIONS
from projections.follow import catch_up, rebuild
from projections.passing_up import documents_at, failing_since, given_up, refusals, stem_of, unanswered

NOW = datetime(2031, 3, 4, tzinfo=UTC)


class Story:
    """Events of one parent, one a second."""

    def __init__(self, log: SqliteEventLog, tables: SqlReadTables) -> None:
        self.log, self.tables, self.version = log, tables, 0

    def tell(self, kind: type[Event], **fields: Any) -> None:
        self.version += 1
        at = NOW + timedelta(seconds=self.version)
        event = kind.model_validate({"at": at, "parent": "p", "form": "cap", "position": 7, **fields})
        self.log.append([NewEvent(stream_id_of("parent", "p"), self.version, event)])
        catch_up(self.log, self.tables, PROJECTIONS)

    def passed(self, *documents: str) -> None:
        self.tell(ReleasePassedUp, warning_id="w", documents=documents)

    def answered(self, document: str, *, accepted: bool) -> None:
        self.tell(PassedUpAcknowledged, document=document, accepted=accepted, error_code="" if accepted else "E")

    def states(self) -> list[str]:
        return [one.state.value for one in documents_at(self.tables, "p")]


@pytest.fixture
def story(log: SqliteEventLog, tables: SqlReadTables) -> Story:
    return Story(log, tables)


def test_each_document_waits_until_its_own_answer_comes(story: Story) -> None:
    story.passed("a.xml", "b.xml")
    assert story.states() == ["waiting", "waiting"]
    story.answered("b.xml", accepted=False)
    assert story.states() == ["waiting", "refused"]
    assert [row.document for row in unanswered(story.tables, "p")] == ["a.xml"]


def test_what_is_handed_over_again_waits_again_and_its_refusal_counts_no_more(story: Story) -> None:
    story.passed("a.xml")
    story.answered("a.xml", accepted=False)
    assert [row.error_code for row in refusals(story.tables, "p")] == ["E"]
    story.passed("a.xml")
    assert story.states() == ["waiting"]
    assert refusals(story.tables, "p") == []
    story.answered("a.xml", accepted=True)
    assert story.states() == ["accepted"]


def test_a_release_that_was_given_up_is_shown_until_it_gets_there(story: Story) -> None:
    story.tell(PassingUpFailed, reason="no-document: none", final=True)
    assert story.states() == ["failed"]
    story.passed("a.xml")
    assert story.states() == ["waiting"]
    assert given_up(story.tables, "p") == []


def test_failing_since_is_the_first_failure_after_the_last_success_and_silence_is_none(story: Story) -> None:
    story.passed("a.xml")
    story.tell(PassingUpFailed, reason="unacknowledged: late", final=False)
    assert failing_since(story.tables, "p") is None
    story.tell(PassingUpFailed, position=8, reason="trying: timeout", final=False)
    story.tell(PassingUpFailed, position=9, reason="trying: timeout", final=False)
    found = failing_since(story.tables, "p")
    assert found is not None
    assert found.position == 8
    story.tell(ReleasePassedUp, position=8, warning_id="w", documents=("b.xml",))
    assert failing_since(story.tables, "p") is None


def test_a_rebuild_from_zero_tells_the_same(story: Story) -> None:
    story.passed("a.xml", "b.xml")
    story.answered("a.xml", accepted=True)
    story.tell(PassingUpFailed, position=8, reason="patience-ended: timeout", final=True)
    before = documents_at(story.tables, "p")
    rebuild(story.log, story.tables, PROJECTIONS)
    assert documents_at(story.tables, "p") == before


@pytest.mark.parametrize("name", ["a", "A.XML", "a.xml.zip", "330604/A.zip", "330604\\a.XML.xml"])
def test_an_acknowledgement_is_matched_without_folders_endings_and_case(name: str) -> None:
    assert stem_of(name) == "a"
