"""One district and its agencies' books under commands in any order: what must hold after every single one.

A command may or may not be followed at once by the decision on its release, as it may be when a process dies between.
"""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.contributions import Contribution
from domain.events import EndReason, HoldEnded, OutletRevised, ReleaseHeld, WarningReleased
from domain.levels import Level
from domain.merging import merge
from domain.messages import MessageType
from domain.outlet import End, Lapse, Recompose, Record, SettleConflict
from domain.release import MOST_REFERENCES, Approve, Consider, Refuse, ReleaseError
from domain.sections import Section
from tests.domain.builders import (
    LANDSLIDE,
    RAIN,
    SKY,
    START,
    TASHAN,
    WATER,
    YUECHENG,
    World,
    claim,
    info,
    message,
    policy_with,
    released,
)

HAZARDS = (RAIN, LANDSLIDE)
PEOPLE = st.sampled_from(["wang", "li", "zhao"])
POLICIES = [
    policy_with(
        f'[release]\ngroup_wait_seconds = {wait}\napproval_deadline_seconds = 90\ndeadline_action = "{action}"\n'
        f"approvals = {{ orange = {orange}, red = 2 }}\n"
    )
    for wait in (0, 30)
    for action in ("release", "withhold")
    for orange in (0, 1)
]


class OneDistrict(RuleBasedStateMachine):
    """Messages, the clock and people act on Yuecheng; nobody keeps an order."""

    @initialize(policy=st.sampled_from(POLICIES))
    def begin(self, policy: object) -> None:
        self.world = World(policy)  # type: ignore[arg-type]  # hypothesis draws it from a list of policies
        self.chains: dict[str, list[str]] = {SKY: [], WATER: []}
        self.count = 0

    def _next(self) -> str:
        self.count += 1
        return str(self.count)

    def _minute(self) -> float:
        return (self.world.now - START).total_seconds() / 60 + self.count / 1000

    @rule(
        agency=st.sampled_from([SKY, WATER]),
        hazard=st.sampled_from(HAZARDS),
        level=st.sampled_from(Level),
        area=st.sampled_from([YUECHENG, TASHAN]),
        seconds=st.sampled_from([20, 100, 100_000]),
        update=st.booleans(),
    )
    def says(self, agency: str, hazard: str, level: Level, area: str, seconds: float, *, update: bool) -> None:
        known = self.chains[agency]
        refs = known[-1:] if update else []
        name = self._next()
        if not refs:
            known.append(name)
        block = info(hazard, level, areas=(claim(area),), expires=self.world.now + timedelta(seconds=seconds))
        self.world.send(agency, message(name, block, refs=refs, minute=self._minute()))

    @precondition(lambda self: any(self.chains.values()))
    @rule(data=st.data())
    def cancels(self, data: st.DataObject) -> None:
        agency = data.draw(st.sampled_from([agency for agency, known in self.chains.items() if known]))
        chain = data.draw(st.sampled_from(self.chains[agency]))
        self.world.send(agency, message(self._next(), refs=[chain], minute=self._minute()))

    @rule(data=st.data(), release=st.booleans())
    def a_process_dies_before_the_release(self, data: st.DataObject, *, release: bool) -> None:
        standing = sorted(self.world.state().contributions)
        if standing:
            chain = data.draw(st.sampled_from(standing))
            said: Contribution = self.world.state().contributions[chain]
            self.world.act(End(chain, EndReason.CANCELLED), release=False)
            if data.draw(st.booleans()):
                self.world.act(Record(said), release=release)

    @rule(seconds=st.sampled_from([1, 15, 30, 90, 200_000]), lapses=st.booleans())
    def time_passes(self, seconds: float, *, lapses: bool) -> None:
        self.world.now += timedelta(seconds=seconds)
        if lapses:
            self.world.act(Lapse())
        else:
            self.world.act(Consider())

    @rule(hazard=st.sampled_from(HAZARDS), by=PEOPLE, yes=st.booleans())
    def a_person_decides(self, hazard: str, by: str, *, yes: bool) -> None:
        hold = self.world.state().holds.get(hazard)
        try:
            self.world.act(Approve(hazard, by) if yes else Refuse(hazard, by, "no"))
        except ReleaseError:
            section = self.section(hazard)
            lapsed = hold is None or section is None or section.level is not hold.level or hold.stale
            expired = section is not None and section.expires is not None and section.expires <= self.world.now
            partly = self.world.sections() != self.merged()
            assert lapsed or expired or partly or (hold is not None and by in hold.approved_by)

    @rule(hazard=st.sampled_from(HAZARDS))
    def somebody_settles(self, hazard: str) -> None:
        self.world.act(SettleConflict(hazard, by="wang", reason="agreed"))

    @rule(policy=st.sampled_from(POLICIES))
    def the_policy_changes(self, policy: object) -> None:
        self.world.policy = policy  # type: ignore[assignment]  # hypothesis draws it from a list of policies
        self.world.act(Recompose())

    def section(self, hazard: str) -> Section | None:
        return next((section for section in self.world.sections() if section.hazard == hazard), None)

    def merged(self) -> tuple[Section, ...]:
        state = self.world.state()
        return merge(
            state.contributions.values(), policy=self.world.policy, now=self.world.now, settlements=state.settlements
        )

    @invariant()
    def numbers_rise_and_references_are_complete(self) -> None:
        earlier: list[WarningReleased] = []
        for release in released(self.world.log):
            if earlier and earlier[-1].warning_id != release.warning_id:
                earlier = []
            triples = tuple(f"{old.sender},{old.identifier},{old.at.isoformat()}" for old in earlier)
            assert release.number == len(earlier) + 1
            assert len(triples) < MOST_REFERENCES, "a run that is longer needs another expectation"
            assert release.references == triples
            assert not earlier or release.revision >= earlier[-1].revision
            earlier.append(release)
        identifiers = [release.identifier for release in released(self.world.log)]
        assert len(set(identifiers)) == len(identifiers)

    @invariant()
    def alert_update_and_cancel_say_what_is_public(self) -> None:
        public = False
        for release in released(self.world.log):
            assert (release.message_type is MessageType.CANCEL) == (not release.sections)
            if release.message_type is not MessageType.CANCEL:
                assert (release.message_type is MessageType.UPDATE) == public
            else:
                assert public
            public = bool(release.sections)

    @invariant()
    def what_is_released_is_in_force(self) -> None:
        """Each section released is the revision's, or, beside a hold or a refusal, what was public of it before."""
        revision: OutletRevised | None = None
        public: dict[str, Section] = {}
        for event in self.world.log:
            if isinstance(event, OutletRevised):
                revision = event
            if isinstance(event, WarningReleased):
                assert revision is not None
                now = {section.hazard: section for section in revision.sections}
                for section in event.sections:
                    assert section.hazard in now
                    assert section in (now[section.hazard], public.get(section.hazard))
                    assert section.expires is None or event.at < section.expires
                public = {section.hazard: section for section in event.sections}

    @invariant()
    def a_level_that_needs_people_becomes_public_only_by_them_or_the_deadline(self) -> None:
        asked: dict[str, Level] = {}
        freed: dict[str, Level] = {}
        for event in self.world.log:
            match event:
                case ReleaseHeld():
                    asked[event.hazard] = event.level
                    freed.pop(event.hazard, None)
                case HoldEnded(cause="gone"):
                    asked.pop(event.hazard, None)
                case HoldEnded():
                    freed[event.hazard] = event.level
                    del asked[event.hazard]
                case WarningReleased():
                    for section in event.sections:
                        assert asked.get(section.hazard) is None or section.level is not asked[section.hazard]
                case _:
                    pass

    @rule()
    def considering_leaves_nothing_to_do_and_nothing_to_lift(self) -> None:
        """After the release's decision, a second one adds nothing; what has ended is not public."""
        self.world.act(Consider())
        assert self.world.act(Consider()) == []
        state = self.world.state()
        assert {section.hazard for section in state.released} <= {section.hazard for section in state.sections}
        assert state.sections == self.merged()
        assert not state.due or state.due > self.world.now or state.released == state.sections or self.unreleasable()

    def unreleasable(self) -> bool:
        """A schedule whose change was taken back while another section is withheld stays; nothing comes of it."""
        state = self.world.state()
        return bool(state.holds or state.barred) or any(
            (hazard := self.world.policy.hazard(section.hazard)).published_from is not None
            and section.level < hazard.published_from
            for section in state.sections
        )

    def teardown(self) -> None:
        """The same log gives the same state."""
        if hasattr(self, "world"):
            self.considering_leaves_nothing_to_do_and_nothing_to_lift()
            states, books = self.world.replayed()
            assert states == {key: state for key, state in self.world.states.items() if key in states}
            assert all(book.__dict__ == self.world.books[key].__dict__ for key, book in books.items())


OneDistrict.TestCase.settings = settings(max_examples=max(20, settings().max_examples // 2), stateful_step_count=25)
TestOneDistrict = OneDistrict.TestCase
