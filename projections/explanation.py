"""Why a warning says what it says: who said what when, which rule made what of it, and when and why it went out.

Puts together the history's rows, the releases and the log's own events; every figure can be looked up there again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from domain.contributions import MessageKey
from domain.events import MessageAccepted, OutletRevised, ReleaseApproved
from domain.merging import (
    agencies_far_apart_are_flagged_for_consultation,
    finer_areas_that_add_nothing_are_folded,
    highest_level_in_force_wins_in_each_area,
    issuers_stand_in_the_policys_order,
)
from domain.policy import Policy
from domain.ports import EventLog
from domain.sections import AreaLevel, Contributor, Section
from projections.base import Condition, ReadTables, equal, moment_of
from projections.board import hazard_json, issuer_json
from projections.history import HISTORY, Entry, entry_of, history, message_name, warning_of
from projections.releases import release_of_revision
from projections.words import agency_name, change_words, hazard_name, levels_words, word


@dataclass(frozen=True, slots=True)
class Source:
    """A contributor's message: its triple, when it was received, the digest of its raw bytes, and what it says."""

    agency: dict[str, str]
    chain: str
    sender: str
    identifier: str
    sent: str
    received: str | None
    raw_sha256: str | None
    position: int | None
    level: str
    areas: list[dict[str, str]]
    expires: str | None
    headline: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What a rule of merging did, by the rule's name, with the areas concerned."""

    rule: str
    sentence: str
    areas: list[str]


@dataclass(frozen=True, slots=True)
class SectionExplained:
    """One hazard: its level, who contributes, and what the rules made of it."""

    hazard: dict[str, str]
    level: str
    sources: list[Source]
    applied: list[Applied]


@dataclass(frozen=True, slots=True)
class ReleaseExplained:
    """How the revision became public."""

    at: str
    identifier: str
    number: int
    revision: int
    cause: str
    sentence: str
    approvals: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class RevisionExplained:
    """One revision of the warning, and what it changed."""

    revision: int
    at: str
    position: int
    changes: list[str]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All of it. `release` is None while the revision has not become public; texts are in `language`."""

    warning_id: str
    district: str
    mode: str
    revision: int
    at: str
    language: str
    sections: list[SectionExplained]
    release: ReleaseExplained | None
    revisions: list[RevisionExplained]
    entries: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The explanation as plain JSON values."""
        return asdict(self)


def explain(
    log: EventLog, tables: ReadTables, warning_id: str, *, policy: Policy, language: str, revision: int | None = None
) -> Explanation:
    """Why the warning, at this revision or its last one, says what it says.

    Raises:
        LookupError: there is no such warning or revision.
    """
    warned = warning_of(tables, warning_id)
    entries = history(tables, warning_id=warning_id)
    revisions = [entry for entry in entries if entry.kind == OutletRevised.TOPIC]
    wanted = [entry for entry in revisions if revision is None or entry.parts["revision"] == revision]
    if not wanted:
        raise LookupError(f"the warning {warning_id} has no revision {revision}")
    chosen = wanted[-1]
    revised = next(iter(log.read(after=chosen.position - 1, limit=1))).event
    if not isinstance(revised, OutletRevised):
        raise LookupError(f"the log has no revision at position {chosen.position}; rebuild the projections")  # noqa: TRY004 -- the caller asked for something that is not there
    telling = Telling(log, tables, policy, language)
    return Explanation(
        warning_id=warning_id,
        district=warned.district,
        mode=warned.mode,
        revision=revised.revision,
        at=telling.local(chosen),
        language=language,
        sections=[telling.section(section) for section in revised.sections],
        release=telling.release(warning_id, revised.revision, entries),
        revisions=[telling.revision(entry) for entry in revisions],
        entries=[entry.as_json(policy, language) for entry in entries],
    )


@dataclass(frozen=True, slots=True)
class Telling:
    """Where to look, and in which words to tell."""

    log: EventLog
    tables: ReadTables
    policy: Policy
    language: str

    def local(self, entry: Entry) -> str:
        """When it was recorded, in the outlet's zone."""
        return entry.at.astimezone(self.policy.zone).isoformat()

    def revision(self, entry: Entry) -> RevisionExplained:
        """One revision and what it changed."""
        return RevisionExplained(
            revision=entry.parts["revision"],
            at=self.local(entry),
            position=entry.position,
            changes=[change_words(change, self.policy, self.language) for change in entry.parts["changes"]],
        )

    def section(self, section: Section) -> SectionExplained:
        """Who says what in a section, and by which rules it came to what it is."""
        return SectionExplained(
            hazard=hazard_json(section.hazard, self.policy),
            level=section.level.value,
            sources=[self.source(contributor) for contributor in section.contributors],
            applied=[*self.winners(section), *self.folded(section), *self.conflict(section), *self.order(section)],
        )

    def source(self, contributor: Contributor) -> Source:
        """A contributor's message, when it was received and under which digest its bytes are kept."""
        accepted = self.accepted(contributor.message)
        digest = None
        if accepted is not None:
            event = next(iter(self.log.read(after=accepted.position - 1, limit=1))).event
            digest = event.raw_sha256 if isinstance(event, MessageAccepted) else None
        zone = self.policy.zone
        return Source(
            agency=issuer_json(contributor.agency, self.policy),
            chain=contributor.chain,
            sender=contributor.message.sender,
            identifier=contributor.message.identifier,
            sent=contributor.message.sent.astimezone(zone).isoformat(),
            received=None if accepted is None else self.local(accepted),
            raw_sha256=digest,
            position=None if accepted is None else accepted.position,
            level=contributor.level.value,
            areas=[{"code": area.code, "name": area.name, "level": area.level.value} for area in contributor.areas],
            expires=None if contributor.expires is None else contributor.expires.astimezone(zone).isoformat(),
            headline=next((wording.headline for wording in contributor.wordings), ""),
        )

    def accepted(self, key: MessageKey) -> Entry | None:
        """When a message was taken in."""
        name = message_name(key.sender, key.identifier, key.sent)
        where = equal(message=name, kind=MessageAccepted.TOPIC)
        return next((entry_of(row) for row in self.tables.select(HISTORY, where, order=("position",), limit=1)), None)

    def winners(self, section: Section) -> list[Applied]:
        """For each area of the section: who set its level, and who is lower there."""
        return [self._winner(section, area) for area in section.areas]

    def _winner(self, section: Section, area: AreaLevel) -> Applied:
        around = {area.code, *area.within}
        said: dict[str, AreaLevel] = {}
        for contributor in section.contributors:
            for own in contributor.areas:
                if own.code in around and (
                    contributor.agency not in said or said[contributor.agency].level < own.level
                ):
                    said[contributor.agency] = own
        winning = {agency: own.level for agency, own in said.items() if own.level == area.level}
        lower = {agency: own.level for agency, own in said.items() if own.level < area.level}
        words = f"{area.name}: {levels_words(winning, self.policy, self.language)}"
        if lower:
            words += f" > {levels_words(lower, self.policy, self.language)}"
        return self._applied(highest_level_in_force_wins_in_each_area.__name__, words, [area.code])

    def folded(self, section: Section) -> list[Applied]:
        """The areas that agencies named and the section does not."""
        kept = {area.code for area in section.areas}
        named = {area.code: area.name for one in section.contributors for area in one.areas if area.code not in kept}
        if not named:
            return []
        rule = finer_areas_that_add_nothing_are_folded.__name__
        return [self._applied(rule, ", ".join(named[code] for code in sorted(named)), sorted(named))]

    def conflict(self, section: Section) -> list[Applied]:
        """The conflict, with who settled it."""
        conflict = section.conflict
        if conflict is None:
            return []
        words = levels_words(conflict.levels, self.policy, self.language)
        if not conflict.is_open:
            words += f" — {conflict.settled_by}: {conflict.settled_reason}"
        rule = agencies_far_apart_are_flagged_for_consultation.__name__
        return [self._applied(rule, words, list(conflict.areas))]

    def order(self, section: Section) -> list[Applied]:
        """The issuers as they stand."""
        names = ", ".join(agency_name(agency, self.policy, self.language) for agency in section.issuers)
        return [self._applied(issuers_stand_in_the_policys_order.__name__, names, [])]

    def _applied(self, rule: str, facts: str, areas: list[str]) -> Applied:
        return Applied(rule=rule, sentence=f"{word(rule, self.language)}: {facts}", areas=areas)

    def release(self, warning_id: str, revision: int, entries: Sequence[Entry]) -> ReleaseExplained | None:
        """The release that made the revision public, and the approvals that came before it."""
        release = release_of_revision(self.tables, warning_id, revision)
        if release is None:
            return None
        row = release.row
        before = self.tables.select(
            HISTORY,
            (*equal(warning_id=warning_id, kind="warning-released"), Condition("position", "<", row.position)),
            order=("-position",),
            limit=1,
        )
        since = before[0].position if before else 0
        approvals = [
            {
                "by": entry.parts["by"],
                "hazard": entry.parts["hazard"],
                "hazard_name": hazard_name(entry.parts["hazard"], self.policy, self.language),
                "level": entry.parts["level"],
                "at": self.local(entry),
            }
            for entry in entries
            if entry.kind == ReleaseApproved.TOPIC and since < entry.position <= row.position
        ]
        return ReleaseExplained(
            at=moment_of(row.at, self.policy.zone).isoformat(),
            identifier=row.identifier,
            number=row.number,
            revision=row.revision,
            cause=row.cause,
            sentence=word(row.cause, self.language),
            approvals=approvals,
        )
