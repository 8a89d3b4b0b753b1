"""S6: people are entered, told, mentioned in all kinds of ways, and erased; then nothing of them can be found.

Searched are the files of the data directory while the outlet runs and after it was killed, a backup made after, and
what the processes said; the spool as well, whose files of the erased go with them. What a server was handed it has for
good. What a command answered to whoever typed a number in the wrong column is counted apart.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from adapters.sending.service import SPOOL_FOLDER
from adapters.settings import Settings
from adapters.vault.vault import FILE_NAME, Contact, Person, vault_in
from adapters.wiring import build
from domain.recipients import ChannelKind, Recipient
from tests.adapters.audience.logs import AudienceLog
from tests.figures.figure import Figure, Progress
from tests.figures.outlets import ASK_SECONDS, Listed, Outlet, wait_for, write_list
from tests.figures.r1_feed import LASTING_HOURS
from tests.figures.s6_traces import Hit, Trace, backed_up, copied, hits, traces
from tests.figures.servers import Servers
from tests.streams.messages import cap

PROMISE = "a person erased: no trace of number, address or name in data directory, process logs and backups made after"
AREA, NO_AREA = "330604", "999999"
PATIENCE_SECONDS = 300.0
STEPS = 6


@dataclass(frozen=True)
class Size:
    """How many people are entered, and how many of them erased."""

    people: int
    erased: int


@dataclass(frozen=True, slots=True)
class Erased:
    """Somebody made up, by whom nobody is called. `refused` is an address that the mail server does not take."""

    place: int

    @property
    def digits(self) -> str:
        """Their telephone number as they would say it."""
        return f"139{17_420_000 + 7_919 * self.place:08d}"

    @property
    def email(self) -> str:
        """Their address."""
        return f"mailbox.of+{self.place:04d}qzx@people.example"

    @property
    def refused(self) -> str:
        """Their other address."""
        return f"nowhere-{self.place:04d}-vwk@people.example"

    @property
    def name(self) -> str:
        """Their name."""
        return f"测试名第{self.place:04d}号"

    @property
    def texts(self) -> dict[str, str]:
        """Everything that must not be found, by what it is."""
        return {
            "number": self.digits,
            "address": self.email,
            "local part": self.email.partition("@")[0],
            "second address": self.refused,
            "its local part": self.refused.partition("@")[0],
            "name": self.name,
        }


def measure(folder: Path, size: Size, progress: Progress) -> Figure:
    """Enter, tell, erase and search."""
    figure = Figure("S6", PROMISE)
    erased = [Erased(place) for place in range(size.erased)]
    with Servers(folder / "servers") as servers:
        outlet = Outlet(folder)
        story = _Story(folder, outlet, servers, erased, figure)
        for number, step in enumerate(story.before()):
            progress(number, STEPS, step)
        with outlet.running():
            for number, step in enumerate(story.while_it_runs(size.people), start=2):
                progress(number, STEPS, step)
            story.look("while the outlet ran", copied(outlet.data, folder / "looked-at-running"))
        story.look("after it was killed", copied(outlet.data, folder / "looked-at-killed"))
        story.look("in a backup made after", backed_up(outlet.data, folder / "backup"))
        progress(STEPS, STEPS, "searched")
        story.look_at_what_was_said()
    figure.counts |= {"people": size.people, "people erased": len(erased), "forms looked for": len(story.traces)}
    return figure


class _Story:
    """What happens to the people, step by step."""

    def __init__(
        self, folder: Path, outlet: Outlet, servers: Servers, erased: Sequence[Erased], figure: Figure
    ) -> None:
        self._folder = folder
        self._outlet = outlet
        self._servers = servers
        self._erased = erased
        self._figure = figure
        self.traces: list[Trace] = []

    def before(self) -> Iterator[str]:
        """Lists are taken in, in two versions, and refused; one subscribes."""
        yield "lists"
        self._outlet.settle(self._servers)
        self._outlet.wait_for_nothing()
        self._enlist("phones", [Listed(phone=one.digits, name=one.name, area=AREA) for one in self._erased])
        self._enlist("mails", [Listed(email=one.email, name=one.name, area=AREA) for one in self._erased])
        self._enlist("drilled", [Listed(email=one.email, name=one.name, area=AREA) for one in self._erased], "drill")
        # A second version: whoever has moved, or has another address now.
        self._enlist("mails", [Listed(email=one.email, area="330602;" + AREA) for one in self._erased])
        self._enlist("refused", [Listed(email=one.refused, area=AREA) for one in self._erased])
        self._subscribe()
        yield "refused lists"
        self._refused_lists()

    def _enlist(self, roster: str, people: Sequence[Listed], mode: str = "live") -> None:
        self._outlet.enlist(people, roster, mode)

    def _subscribe(self) -> None:
        with build(Settings(data_dir=self._outlet.data)) as platform, vault_in(self._outlet.data) as vault:
            people = [
                Person(one.name, (Contact(ChannelKind.SMS, f"+86{one.digits}"), Contact(ChannelKind.EMAIL, one.email)))
                for one in self._erased
            ]
            log = AudienceLog(self._outlet.data, platform.log)
            for number in vault.enter(people):
                log.subscribe(
                    Recipient(
                        number=number, roster="", role="subscriber", areas=("330603",), channels=(ChannelKind.SMS,)
                    )
                )

    def _refused_lists(self) -> None:
        """Rows that are wrong in ways that bring the contact into a finding, if anything does."""
        rows = [
            row
            for one in self._erased
            for row in (
                Listed(phone=one.digits, name=one.name, area=NO_AREA),
                Listed(phone=one.digits, email=one.email + "@", name=one.name, area=AREA),
                Listed(phone=one.digits + "0", email=one.email, area=AREA),
                Listed(phone=one.digits, area=one.digits),
            )
        ]
        path = self._folder / "wrong.csv"
        write_list(path, rows)
        report = self._folder / "report.csv"
        wrong = ("--roster", "wrong", "--report", str(report))
        self._outlet.call("roster", "import", str(path), *wrong, code=1)
        self._outlet.call("roster", "import", str(path), *wrong, "--json", code=1)
        self._outlet.said.append(report)

    def while_it_runs(self, people: int) -> Iterator[str]:
        """Everybody is told, by servers and in a drill; some are not taken; then they are erased, and nothing comes."""
        yield "people are told"
        self._servers.mail.tell(refuse_one=self._erased[0].refused)
        others = [
            Listed(phone=f"+86138{number:08d}", area=AREA)
            if number % 2
            else Listed(email=f"p{number}@people.example", area=AREA)
            for number in range(people - len(self._erased))
        ]
        self._outlet.enlist(others, "others")
        self._tell("first", "orange", AREA)
        self._tell("subscribers", "orange", "330603")
        self._outlet.post(cap("drill", status="Exercise", codes=(AREA,), hours=LASTING_HOURS, level="red"))
        wait_for(lambda: len(self._spooled()) >= len(self._erased), PATIENCE_SECONDS, "the drill is in the spool")
        self._wait_until_all_are_told()
        self._servers.sms.tell(incoming=self._answer())
        self._ask()
        yield "the outlet is killed in the middle"
        self._tell("second", "red", AREA, references=(("first", 0),))
        self._outlet.kill()
        self._outlet.begin()
        self._wait_until_all_are_told()
        self._gather_traces()
        yield "they are erased"
        for one in self._erased:
            self._outlet.call("roster", "erase", "--phone", one.digits, "--reason", "asked")
            self._outlet.call("roster", "erase", "--email", one.email, "--reason", "asked")
            self._outlet.call("roster", "erase", "--email", one.refused, "--reason", "asked")
        before = self._came()
        yield "and are told nothing more"
        self._tell("third", "red", "330681", hazard="11B06")
        self._outlet.post(cap("end", kind="Cancel", minutes=3, references=(("first", 0), ("second", 1))))
        self._wait_until_all_are_told()
        self._figure.must(self._came() == before, "who was erased was told something")

    def _tell(
        self, name: str, level: str, area: str, references: tuple[tuple[str, float], ...] = (), hazard: str = "11B03"
    ) -> None:
        kind, minutes = ("Update", 1.0) if references else ("Alert", 0.0)
        self._outlet.post(
            cap(
                name,
                level=level,
                hazard=hazard,
                kind=kind,
                minutes=minutes,
                codes=(area,),
                references=references,
                hours=LASTING_HOURS,
            )
        )

    def _answer(self) -> dict[str, object]:
        """Somebody answers by SMS, and signs."""
        one = self._erased[0]
        return {
            "source_addr": f"86{one.digits}",
            "source_addr_ton": 1,
            "destination_addr": "10690000",
            "data_coding": 8,
            "hex": f"收到，{one.name}".encode("utf-16-be").hex(),
        }

    def _ask(self) -> None:
        """Commands that are given a contact."""
        one = self._erased[0]
        self._outlet.call("roster", "find", "--phone", one.digits)
        self._outlet.call("roster", "find", "--email", one.email, "--json")
        self._outlet.call("roster", "find", "--phone", one.digits[:5], code=2)

    def _wait_until_all_are_told(self) -> None:
        def nothing_is_open() -> bool:
            sums, unheard = self._outlet.deliveries()
            return not unheard and bool(sums) and not any(one.open for one in sums)

        wait_for(nothing_is_open, PATIENCE_SECONDS, "everybody is told", ASK_SECONDS)

    def _came(self) -> int:
        """How many messages have come to those who will be erased."""
        mine = {form for one in self._erased for form in (one.email, one.refused, f"86{one.digits}")}
        return sum(one.to in mine for server in self._servers.both for one in server.told.read().arrivals)

    def _spooled(self) -> list[Path]:
        return list((self._outlet.data / SPOOL_FOLDER).rglob("*.eml"))

    def _gather_traces(self) -> None:
        """Before they are erased: what the vault holds of them, sealed, must be gone with its key as well."""
        numbers = self._numbers()
        octets: dict[str, bytes] = {}
        with closing(sqlite3.connect(self._outlet.data / FILE_NAME)) as vault:
            for number in numbers:
                key, name = vault.execute("SELECT sealed_key, name FROM people WHERE number = ?", (number,)).fetchone()
                octets[f"sealed key {number}"] = key
                if name:
                    octets[f"sealed name {number}"] = name
                for sealed, mark in vault.execute("SELECT sealed, mark FROM contacts WHERE number = ?", (number,)):
                    octets[f"sealed contact {number}"] = sealed
                    octets[f"mark {number}"] = mark
        texts = {f"{what} of {one.place}": text for one in self._erased for what, text in one.texts.items()}
        self.traces = traces(texts, octets)
        found = hits(copied(self._outlet.data, self._folder / "looked-at-before"), self.traces)
        sealed = {hit.of for hit in found if hit.form == "octets" and hit.path.startswith(FILE_NAME)}
        self._figure.must(sealed == set(octets), "the search does not find what is known to be there")
        self._figure.must(self._finds_itself(texts), "the search does not find what it was given")
        self._figure.must(any(_is_handed_out(hit) for hit in found), "no file in the spool names anybody")
        self._figure.counts["traces outside the vault and the spool before the erasure"] = len(
            [hit for hit in found if not _is_handed_out(hit) and hit.form != "octets"]
        )

    def _finds_itself(self, texts: dict[str, str]) -> bool:
        planted = self._folder / "planted"
        planted.mkdir()
        (planted / "plain.txt").write_text("\n".join(texts.values()), encoding="utf-8")
        (planted / "wide.txt").write_text("\n".join(texts.values()), encoding="utf-16")
        found = hits(planted, self.traces)
        return {hit.of for hit in found if hit.path == "plain.txt" and hit.form == "text"} == set(texts)

    def _numbers(self) -> list[int]:
        contacts = [
            contact
            for one in self._erased
            for contact in (
                Contact(ChannelKind.SMS, f"+86{one.digits}"),
                Contact(ChannelKind.EMAIL, one.email),
                Contact(ChannelKind.EMAIL, one.refused),
            )
        ]
        with vault_in(self._outlet.data) as vault:
            return sorted({number for numbers in vault.found(contacts).values() for number in numbers})

    def look(self, when: str, folder: Path) -> None:
        """Search a copy of the data directory, the spool included."""
        found = hits(folder, self.traces)
        self._figure.counts[f"traces {when}"] = len(found)
        for hit in found:
            self._figure.must(False, f"{when}: {hit.path} holds the {hit.of} ({hit.form})")

    def look_at_what_was_said(self) -> None:
        """What processes wrote is a log; what a command answered is with whoever asked."""
        logs, answers = self._folder / "logs", self._folder / "answers"
        for folder in (logs, answers):
            folder.mkdir()
        for path in self._outlet.said:
            target = logs if path.name.startswith("life-") else answers
            (target / path.name).write_bytes(path.read_bytes())
        found = hits(logs, self.traces)
        self._figure.counts["traces in the processes' logs"] = len(found)
        for hit in found:
            self._figure.must(False, f"the log {hit.path} holds the {hit.of} ({hit.form})")
        told = Counter(hit.path for hit in hits(answers, self.traces))
        self._figure.counts["answers of commands that repeat what was typed"] = len(told)


def _is_handed_out(hit: Hit) -> bool:
    return hit.path.startswith(f"{SPOOL_FOLDER}/")
