"""Acknowledgement files are matched, recorded once and moved; nothing in that folder stops the reading of the rest."""

from pathlib import Path

import pytest

from adapters.upward.acknowledgements import AcknowledgementFolder
from adapters.upward.definition import ParentDefinition
from adapters.upward.records import Records
from adapters.upward.watch import Watch
from adapters.wiring import Platform
from domain.edge_events import PassedUpAcknowledged, PassingUpFailed
from projections.passing_up import documents_at
from tests.adapters.upward.desk import a_chain, deliver, hand_over, opened, parent, releases
from tests.streams.messages import at, cap

ENTRY = parent(form="cn12379", by="folder", folder="up", acknowledgements="down")
ACCEPTED = b"<msg><data><rows><status>0</status><error_code/><note/></rows></data></msg>"
REFUSED = (
    "<msg><data><rows><status>1</status><error_code>E7</error_code><note>缺少区域</note></rows></data></msg>".encode()
)


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A city whose releases lie in the parent's folder."""

    def __init__(self, city: Platform, folder: Path, entry: ParentDefinition = ENTRY) -> None:
        self.city = city
        self.clock = Clock()
        self.down = folder / "down"
        self.down.mkdir()
        self.folder = AcknowledgementFolder(self.down, city.tables, Records(city, entry), seconds=self.clock)
        hand_over(city, entry)
        self.names = [one.document for one in reversed(documents_at(city.tables, entry.id))]

    def look(self, seconds: float = 0.0) -> int:
        self.clock.now += seconds
        count = self.folder.look()
        self.city.project()
        return count

    def answers(self) -> list[PassedUpAcknowledged]:
        return [one.event for one in self.city.log.read() if isinstance(one.event, PassedUpAcknowledged)]

    def states(self) -> list[str]:
        return [one.state.value for one in reversed(documents_at(self.city.tables, "province"))]


def test_acknowledgements_are_matched_by_name_in_every_spelling_and_recorded_once(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        a_chain(city)
        desk = Desk(city, tmp_path)
        one, two, three = (name.removesuffix(".zip") for name in desk.names)
        (desk.down / f"{one}.xml").write_bytes(ACCEPTED)
        (desk.down / f"{two.lower()}.zip.XML").write_bytes(REFUSED)
        (desk.down / f"{three}_ACK.xml").write_bytes(ACCEPTED)
        assert desk.states() == ["waiting"] * 3
        assert desk.look() == 3
        assert desk.states() == ["accepted", "refused", "accepted"]
        assert (desk.answers()[1].error_code, desk.answers()[1].note) == ("E7", "缺少区域")
        assert len(list((desk.down / "done").iterdir())) == 3
        (desk.down / f"{one}.xml").write_bytes(ACCEPTED)  # as after a crash between the record and the move
        assert desk.look() == 0
        assert len(desk.answers()) == 3
        assert not list(desk.down.glob("*.xml"))


def test_a_second_answer_that_turns_the_first_round_is_recorded(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        a_chain(city, cancel=False)
        desk = Desk(city, tmp_path)
        for content in (ACCEPTED, REFUSED):
            (desk.down / f"{desk.names[0]}.xml").write_bytes(content)
            desk.look()
        assert desk.states()[0] == "refused"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<msg>",
        b"nonsense",
        b"<msg><data/></msg>",
        b"<msg><data><rows><note>no status</note></rows></data></msg>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><msg><data><rows><status>&x;</status></rows></data></msg>',
        b"<a>" * 5_000,
        b"<msg>" + b" " * 300_000 + b"</msg>",
        b"\xff\xfe\x00",
    ],
)
def test_a_broken_acknowledgement_is_put_aside_with_its_reason_and_the_next_is_read(
    tmp_path: Path, content: bytes
) -> None:
    with opened(tmp_path) as city:
        a_chain(city, cancel=False)
        desk = Desk(city, tmp_path)
        (desk.down / f"{desk.names[0]}.xml").write_bytes(content)
        (desk.down / f"{desk.names[1]}.xml").write_bytes(ACCEPTED)
        assert desk.look() == 1  # the first may still be half written
        assert (desk.down / f"{desk.names[0]}.xml").exists()
        assert desk.look() == 0
        aside = desk.down / "aside" / f"{desk.names[0]}.xml"
        assert aside.read_bytes() == content
        assert aside.with_name(f"{aside.name}.reason.txt").read_text().strip()
        assert desk.states() == ["waiting", "accepted"]


def test_an_answer_to_nothing_known_waits_a_minute_and_is_put_aside(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        a_chain(city, cancel=False)
        desk = Desk(city, tmp_path)
        (desk.down / "nobody.xml").write_bytes(ACCEPTED)
        (desk.down / "nobody.xml.part").write_bytes(ACCEPTED)
        (desk.down / "link.xml").symlink_to("nobody.xml")
        desk.look()
        desk.look(59)
        assert (desk.down / "nobody.xml").exists()
        desk.look(2)
        assert [path.name for path in sorted((desk.down / "aside").iterdir())] == [
            "nobody.xml",
            "nobody.xml.reason.txt",
        ]
        assert (desk.down / "nobody.xml.part").exists()
        assert desk.answers() == []


def test_answers_by_district_folder_go_to_that_districts_document(tmp_path: Path) -> None:
    entry = parent(form="cn12379", by="folder", folder="up", acknowledgements="down", names="prescribed", zip=False)
    with opened(tmp_path) as city:
        deliver(city, cap("both", level="red", codes=("330602", "330604")), 1)
        desk = Desk(city, tmp_path, entry)
        plain = desk.names[0].partition("/")[2]
        assert [name.partition("/")[2] for name in desk.names] == [plain, plain]
        (desk.down / "330604").mkdir()
        (desk.down / "330604" / plain).write_bytes(ACCEPTED)
        assert desk.look() == 1
        assert desk.answers()[0].document == f"330604/{plain}"
        (desk.down / plain).write_bytes(ACCEPTED)  # which of the two?
        desk.look()
        desk.look(61)
        assert (desk.down / "aside" / plain).exists()


def test_silence_is_an_alarm_once_for_each_release(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        a_chain(city, cancel=False)
        hand_over(city, ENTRY)

        def alarms() -> list[int]:
            city.project()
            failures = [one.event for one in city.log.read() if isinstance(one.event, PassingUpFailed)]
            assert not any(one.final for one in failures)
            return [one.position for one in failures]

        Watch(city, ENTRY, tmp_path).look()
        assert alarms() == []
        city.advance(at(60))
        watch = Watch(city, ENTRY, tmp_path)
        for again in (watch, watch, Watch(city, ENTRY, tmp_path)):  # the last as after a restart
            again.look()
            assert alarms() == [parcel.position for parcel in releases(city)]


def test_a_folder_without_acknowledgements_is_never_overdue(tmp_path: Path) -> None:
    with opened(tmp_path) as city:
        a_chain(city, cancel=False)
        entry = ENTRY.model_copy(update={"acknowledgements": None})
        hand_over(city, entry)
        city.advance(at(60))
        Watch(city, entry, tmp_path).look()
        assert not [one for one in city.log.read() if isinstance(one.event, PassingUpFailed)]
