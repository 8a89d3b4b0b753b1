"""A watched folder as a feed: 12379 files in, acknowledgements out."""

from pathlib import Path

import pytest
from lxml import etree

from adapters.pollers.definition import FeedDefinition
from domain.feed_health import PollOutcome
from tests.adapters.cli.samples import cap
from tests.adapters.pollers.conftest import World


def folder_feed(world: World, **more: object) -> FeedDefinition:
    (world.folder / "drop").mkdir(exist_ok=True)
    return FeedDefinition.model_validate({"id": "drop", "kind": "folder", "folder": "drop", **more})


def answer_in(path: Path) -> tuple[str | None, str | None]:
    root = etree.fromstring(path.read_bytes())
    return root.findtext("data/rows/status"), root.findtext("data/rows/error_code")


def test_an_accepted_file_and_a_refused_one_are_acknowledged_by_name_and_put_away(world: World) -> None:
    definition = folder_feed(world, agency="weather")
    drop = world.folder / "drop"
    (drop / "good.xml").write_text(cap("a1"))
    (drop / "bad.xml").write_text("<alert")
    look = world.one_look(definition)
    assert (look.messages, look.refused, world.accepted()) == (1, 1, ["a1"])
    assert answer_in(drop / "ack" / "good.xml.ack.xml") == ("0", "")
    assert answer_in(drop / "ack" / "bad.xml.ack.xml") == ("1", "not-xml")
    assert (drop / "done" / "good.xml").exists()
    assert (drop / "refused" / "bad.xml").exists()
    assert (drop / "refused" / "bad.xml.findings.json").exists()
    assert not list(drop.rglob("*.part"))
    assert world.one_look(definition).messages == 0


def test_without_an_agency_each_has_its_own_folder_and_its_own_acknowledgements(world: World) -> None:
    definition = folder_feed(world)
    drop = world.folder / "drop"
    (drop / "weather").mkdir()
    (drop / "weather" / "a.xml").write_text(cap("a1"))
    world.one_look(definition)
    assert answer_in(drop / "ack" / "weather" / "a.xml.ack.xml") == ("0", "")
    assert (drop / "done" / "weather" / "a.xml").exists()


def test_with_an_agency_a_folder_of_another_name_in_it_is_left_alone(world: World) -> None:
    definition = folder_feed(world, agency="weather")
    (world.folder / "drop" / "water").mkdir()
    (world.folder / "drop" / "water" / "a.xml").write_text(cap("a1"))
    assert world.one_look(definition).messages == 0
    assert (world.folder / "drop" / "water" / "a.xml").exists()


def test_acknowledgements_can_be_left_out(world: World) -> None:
    definition = folder_feed(world, agency="weather", acknowledge=False)
    (world.folder / "drop" / "a.xml").write_text(cap("a1"))
    assert world.one_look(definition).messages == 1
    assert not (world.folder / "drop" / "ack").exists()


def test_the_acknowledgement_speaks_of_the_newest_file_of_that_name(world: World) -> None:
    definition = folder_feed(world, agency="weather")
    drop = world.folder / "drop"
    for content in ("<alert", cap("a1")):
        (drop / "a.xml").write_text(content)
        world.one_look(definition)
    assert answer_in(drop / "ack" / "a.xml.ack.xml") == ("0", "")


def test_a_folder_that_is_not_there_is_a_failed_look_and_is_not_made(world: World) -> None:
    definition = folder_feed(world, agency="weather")
    (world.folder / "drop").rmdir()
    look = world.one_look(definition)
    assert look.outcome is PollOutcome.FAILED
    assert look.reason.startswith("folder: ")
    assert not (world.folder / "drop").exists()


def test_a_file_that_cannot_be_read_is_left_and_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = folder_feed(world, agency="weather")
    monkeypatch.setattr("adapters.cli.files.LARGEST_FILE_BYTES", 10)
    (world.folder / "drop" / "large.xml").write_text(cap("a1"))
    assert "large.xml" in world.one_look(definition).reason
    assert (world.folder / "drop" / "large.xml").exists()
