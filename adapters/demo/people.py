"""The story's people: their rosters are taken in as `outlet roster import` does, and their replies reach the outlet."""

from importlib import resources

from adapters.demo.story import Reply, Story
from adapters.rosters.book import RosterBook
from adapters.rosters.checking import telephone_number
from adapters.rosters.importing import check_table
from adapters.rosters.tables import rows_in
from adapters.vault.vault import Contact, ContactVault
from adapters.wiring import Platform
from domain.callup_events import CallUpAnswer
from domain.messages import Mode
from domain.recipients import ChannelKind
from projections.callups import waiting_for
from streams.callup import answer, confirm

REGION = "CN"
OFFICER = "duty-officer"


class RosterProblemError(Exception):
    """A roster of the story cannot be taken in."""


def take_in_rosters(platform: Platform, vault: ContactVault, story: Story) -> None:
    """Take every roster of the story in.

    Raises:
        RosterProblemError: a row of one is bad.
    """
    book = RosterBook(platform.log, platform.tables, platform.runner, vault)
    for one in story.rosters:
        packed = resources.files("adapters.demo").joinpath("rosters", one.file)
        with resources.as_file(packed) as path:
            checked = check_table(rows_in(path), platform.policy, platform.gazetteer, region=REGION)
        if not checked.is_good:
            raise RosterProblemError("; ".join(f"{one.file} row {bad.row}: {bad.sentence}" for bad in checked.findings))
        book.take_in(
            checked.entries, roster=one.roster, mode=one.mode, source=one.file, by="demo", now=platform.clock.now()
        )
    platform.runner.pump()


def reply(platform: Platform, vault: ContactVault, said: Reply) -> int:
    """Let somebody answer every call-up that waits for them; how many those were."""
    number = telephone_number(said.telephone, REGION)
    assert number is not None, f"{said.telephone} is on a roster of the story"
    contact = Contact(ChannelKind.SMS, number)
    waiting = waiting_for(platform.tables, vault.found([contact])[contact])
    for one in waiting:
        _answer(platform, said, one.mode, one.warning_id, one.number)
    return len(waiting)


def _answer(platform: Platform, said: Reply, mode: Mode, warning_id: str, number: int) -> None:
    """Confirm one call-up, and answer its questions where the reply does."""
    answers = [CallUpAnswer(question=question, text=text) for question, text in said.answers.items()]
    runner = platform.runner
    heard_by = OFFICER if said.how == "officer" else ""
    runner.act(lambda house, now: confirm(house, mode, warning_id, number, said.how, now, by=heard_by))
    if answers:
        runner.act(lambda house, now: answer(house, mode, warning_id, number, answers, now))
