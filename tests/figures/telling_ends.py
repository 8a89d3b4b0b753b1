"""What telling people came to: the servers' files, the outlet's own counts and its log, held against each other."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.settings import Settings
from adapters.vault.vault import vault_in
from adapters.wiring import build
from domain.recipients import ChannelKind
from domain.telling_events import DeliveriesRecorded
from tests.figures.figure import Figure
from tests.figures.outlets import HANDED, Listed, Sum
from tests.figures.servers import Servers
from tests.figures.told import Arrival

LIFTING, RAISED = "解除", "红色"
"""In every all-clear, and in every mail's subject that tells of the raised level."""


@dataclass(frozen=True)
class End:
    """Everything that is looked at. `lifted` is the district with an all-clear, `newest` stands in the last text."""

    data: Path
    people: Mapping[str, Listed]
    servers: Servers
    sums: Sequence[Sum]
    in_flight: int
    lifted: str
    newest: str

    def is_end(self, one: Arrival) -> bool:
        """Whether it is an all-clear."""
        return LIFTING in one.words

    def is_newest(self, one: Arrival) -> bool:
        """Whether it says what stands at the end."""
        return not self.is_end(one) and (self.newest in one.words or RAISED in one.words)


@dataclass
class Heard:
    """What the log says: by plan and state how many people, who was handed something, who perhaps twice."""

    by_plan: dict[tuple[int, str], set[int]] = field(default_factory=lambda: defaultdict(set))
    handed: set[str] = field(default_factory=set)
    repeated: set[str] = field(default_factory=set)


def judge(figure: Figure, end: End) -> None:
    """Nobody missed, nothing too often, nothing out of order, and everything adds up."""
    arrivals = [one for server in end.servers.both for one in server.told.read().arrivals]
    by_person: dict[str, list[Arrival]] = defaultdict(list)
    for one in arrivals:
        by_person[one.to].append(one)
    heard = _heard(end)
    _judge_missed(figure, end, by_person)
    _judge_all_clears(figure, end, by_person)
    _judge_repeats(figure, end, heard)
    _judge_sums(figure, end, by_person, heard)
    figure.counts["messages that came"] = len(arrivals)
    strangers = by_person.keys() - end.people.keys()
    figure.must(not strangers, f"{len(strangers)} addresses got something that are on no list")


def _judge_missed(figure: Figure, end: End, by_person: Mapping[str, Sequence[Arrival]]) -> None:
    """Where the warning stands, everybody has its newest words; where it ended, whoever had any has the end."""
    missed = never = 0
    for address, person in end.people.items():
        mine = by_person.get(address, ())
        if person.area != end.lifted:
            missed += not any(end.is_newest(one) for one in mine)
        elif mine:
            missed += not end.is_end(mine[-1])
        else:
            never += 1
    figure.counts["people missed"] = missed
    figure.counts["people of whose turn it was lifted before"] = never
    withdrawn = sum(one.by_reason.get("never-told", 0) > 0 for one in end.sums)
    figure.must(not missed, f"{missed} people were missed")
    figure.must(never == 0 or withdrawn > 0, f"{never} people heard nothing, and no plan says why")


def _judge_all_clears(figure: Figure, end: End, by_person: Mapping[str, Sequence[Arrival]]) -> None:
    """An all-clear without its alert goes to those alone whose alert was in flight at a kill: they may have heard."""
    ends = early = late = strange = 0
    for address, mine in by_person.items():
        kinds = [end.is_end(one) for one in mine]
        ends += sum(kinds)
        early += bool(kinds) and kinds[0]
        late += any(is_end and not all(kinds[place:]) for place, is_end in enumerate(kinds))
        strange += any(kinds) and end.people[address].area != end.lifted
    figure.counts["all-clears"] = ends
    figure.counts["of them to people whose alert was in flight at a kill and lost"] = early
    figure.must(early <= end.in_flight, f"{early} all-clears without their alert, and {end.in_flight} were in flight")
    figure.must(not late, f"{late} people got an alert after its all-clear")
    figure.must(not strange, f"{strange} people got the all-clear of another district")


def _judge_repeats(figure: Figure, end: End, heard: Heard) -> None:
    repeats = [one for server in end.servers.both for one in server.told.repeated]
    unmarked = {one.to for one in repeats} - heard.repeated
    figure.counts |= {
        "repeats": len(repeats),
        "in flight at the kills": end.in_flight,
        "people marked as perhaps told twice": len(heard.repeated),
    }
    figure.must(len(repeats) <= end.in_flight, f"{len(repeats)} repeats, and {end.in_flight} were in flight")
    figure.must(not unmarked, f"{len(unmarked)} people got something twice without its mark")
    figure.must(
        len(heard.repeated) <= end.in_flight, f"{len(heard.repeated)} are marked, and {end.in_flight} were in flight"
    )


def _judge_sums(figure: Figure, end: End, by_person: Mapping[str, Sequence[Arrival]], heard: Heard) -> None:
    """Each plan's states are its people; the log says the same; who was handed something has it."""
    states: Counter[str] = Counter()
    for one in end.sums:
        states.update(one.by_state)
        figure.must(one.counted == one.people, f"plan {one.planned}: {one.counted} messages for {one.people} people")
        figure.must(one.open == 0, f"plan {one.planned}: {one.open} messages are left")
        handed = sum(one.by_state.get(state, 0) for state in HANDED)
        found = len(heard.by_plan[one.planned, "accepted"] | heard.by_plan[one.planned, "delivered"])
        figure.must(found == handed, f"plan {one.planned}: {handed} were handed over, and {found} in the log")
        for state in ("delivered", "withdrawn", "failed"):
            wanted, found = one.by_state.get(state, 0), len(heard.by_plan[one.planned, state])
            figure.must(found == wanted, f"plan {one.planned}: {wanted} {state}, and {found} in the log")
    figure.counts["deliveries by state"] = dict(sorted(states.items()))
    figure.must(not states["failed"], f"{states['failed']} deliveries failed")
    empty = heard.handed - by_person.keys()
    unknown = by_person.keys() - heard.handed
    figure.must(not empty, f"{len(empty)} people were handed something by the log and have nothing")
    figure.must(not unknown, f"{len(unknown)} people have something that the log does not know of")


def _heard(end: End) -> Heard:
    """Read the log, and ask the vault who the numbers are."""
    heard, handed, repeated = Heard(), set[int](), set[int]()
    with build(Settings(data_dir=end.data)) as platform:
        for recorded in platform.log.read(topics=frozenset({DeliveriesRecorded.TOPIC})):
            event = recorded.event
            assert isinstance(event, DeliveriesRecorded)
            for one in event.deliveries:
                heard.by_plan[one.planned, one.state].add(one.number)
                if one.state in HANDED:
                    handed.add(one.number)
                if one.state == "repeated":
                    repeated.add(one.number)
    with vault_in(end.data) as vault:
        numbers = sorted(handed | repeated)
        names = {
            number: address.removeprefix("+")
            for kind in (ChannelKind.EMAIL, ChannelKind.SMS)
            for number, address in vault.addresses(numbers, kind).items()
        }
    heard.handed = {names[number] for number in handed}
    heard.repeated = {names[number] for number in repeated}
    return heard
