"""The figures of a monthly report, as frozen values: codes and counts, and nobody's name, number or address."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from domain.levels import Level
from domain.values import Moment, Value


class EntryKind(StrEnum):
    """What a release says of a hazard, beside the release before."""

    ISSUED = "issued"
    RAISED = "raised"
    LOWERED = "lowered"
    UPDATED = "updated"
    LIFTED = "lifted"


class Spread(Value):
    """How long something took: how often it was measured, the median, the 90th percentile and the longest."""

    samples: int
    median_seconds: float | None
    p90_seconds: float | None
    longest_seconds: float | None


# --- releases -------------------------------------------------------------------------------------------------


class Cell(Value):
    """So many entries of one kind, day, district, hazard and level; an entry is one hazard in one release.

    The level is the hazard's in this release; of a lifted one, the one before.
    """

    day: date
    district: str
    hazard: str
    level: Level
    kind: EntryKind
    entries: int


class Sum(Value):
    """All entries of one hazard, level, district or day (`key`), and the releases that they stand in.

    Entries of every way of summing up come to the same; a release counts once for each hazard and level in it.
    """

    key: str
    releases: int
    entries: int
    kinds: Mapping[EntryKind, int]
    levels: Mapping[Level, int]


class StripRow(Value):
    """The highest level that was public in a district on each day of `ReleaseFigures.days`; None for none."""

    district: str
    levels: tuple[Level | None, ...]


class ReleaseFigures(Value):
    """What was released. `warnings` are the outlet warnings with a release in the month, by their highest level there.

    `days` are those that the strip covers: all of the month, or those until the newest event.
    """

    releases: int
    warnings: int
    new_warnings: int
    entries: int
    highest_levels: Mapping[Level, int]
    cells: tuple[Cell, ...]
    by_hazard: tuple[Sum, ...]
    by_level: tuple[Sum, ...]
    by_district: tuple[Sum, ...]
    by_day: tuple[Sum, ...]
    days: tuple[date, ...]
    strip: tuple[StripRow, ...]


# --- agencies' messages ---------------------------------------------------------------------------------------


class AgencyMessages(Value):
    """An agency's messages; `agency` is empty where it is not known. A refused one may have several codes."""

    agency: str
    accepted: int
    kinds: Mapping[str, int]
    without_effect: Mapping[str, int]
    duplicates: int
    conflicting_copies: int
    refused: int
    refused_codes: Mapping[str, int]


class MessageFigures(Value):
    """Messages of all agencies; one that was refused belongs to no mode and counts here."""

    accepted: int
    refused: int
    duplicates: int
    conflicting_copies: int
    agencies: tuple[AgencyMessages, ...]


# --- times ----------------------------------------------------------------------------------------------------


class LevelTimes(Value):
    """Times of the releases whose highest entry has this level."""

    level: Level
    received_to_release: Spread
    release_to_first_delivery: Spread
    release_to_last_delivery: Spread


class AgencyTimes(Value):
    """Times of one agency's messages."""

    agency: str
    sent_to_received: Spread
    sent_to_release: Spread
    received_to_release: Spread


class TimeFigures(Value):
    """How long it took from an agency's message to the release that first says it, and on to the people.

    A message counts once for each district that released it. A delivery is a hand-over that the channel's server took.
    """

    sent_to_received: Spread
    sent_to_release: Spread
    received_to_release: Spread
    received_to_first_delivery: Spread
    received_to_last_delivery: Spread
    release_to_first_delivery: Spread
    release_to_last_delivery: Spread
    by_level: tuple[LevelTimes, ...]
    by_agency: tuple[AgencyTimes, ...]


# --- telling people -------------------------------------------------------------------------------------------


class DeliveryCount(Value):
    """Outcomes recorded of messages by a channel; `subject` is `warning` or the purpose of a notice."""

    subject: str
    channel: str
    state: str
    outcomes: int


class TellingFigures(Value):
    """People told and withheld, counted once for each release, and what became of the messages until the log's head.

    `endings` are the reasons of what failed or was withdrawn.
    """

    plans: int
    told: int
    told_by_level: Mapping[Level, int]
    told_by_role: Mapping[str, int]
    told_by_channel: Mapping[str, int]
    withheld: int
    withheld_by_reason: Mapping[str, int]
    deliveries: tuple[DeliveryCount, ...]
    endings: Mapping[str, int]


# --- call-ups -------------------------------------------------------------------------------------------------


class CallUpSum(Value):
    """Posts that were called up, and how they answered; `key` is the role or the district."""

    key: str
    posts: int
    promptly: int
    in_time: int
    confirmed: int
    seconds: Spread


class CallUpFigures(Value):
    """Call-ups that were opened in the month. A post counts once for each round.

    `promptly` is within `prompt_seconds`, `in_time` within `in_time_seconds`, the policy's own limits. `endings` say
    why nobody asks the unconfirmed any more, `open` where somebody still does.
    """

    rounds: int
    posts: int
    prompt_seconds: float
    in_time_seconds: float
    promptly: int
    in_time: int
    confirmed: int
    unconfirmed: int
    seconds: Spread
    answered: int
    reported: int
    called: int
    next_asked: int
    hows: Mapping[str, int]
    endings: Mapping[str, int]
    by_role: tuple[CallUpSum, ...]
    by_district: tuple[CallUpSum, ...]


# --- consultation ---------------------------------------------------------------------------------------------


class ConflictOutcome(StrEnum):
    """What became of a conflict between agencies."""

    SETTLED = "settled"
    DISSOLVED = "dissolved"
    OPEN = "open"


class ConflictCase(Value):
    """One conflict: who said what, and how it ended: settled by people, or dissolved since what they said changed."""

    district: str
    hazard: str
    levels: Mapping[str, Level]
    flagged: Moment
    outcome: ConflictOutcome
    ended: Moment | None
    seconds: float | None


class ConsultationFigures(Value):
    """Merged warnings and conflicts. A section is one hazard of one warning, as the month's releases have it."""

    sections: int
    sections_of_several_agencies: int
    warnings: int
    warnings_of_several_hazards: int
    flagged: int
    settled: int
    dissolved: int
    open: int
    settling: Spread
    conflicts: tuple[ConflictCase, ...]


# --- assessment -----------------------------------------------------------------------------------------------


class AssessmentSum(Value):
    """Verdicts on the warnings of a month; a warning counts once for each hazard, in the month of its first release.

    `accuracy` is hits / (hits + false), `false_rate` false / (hits + false), `missed_rate` missed / (hits + missed),
    `threat_score` hits / (hits + false + missed); None where nothing was entered that they could be taken from.
    """

    key: str
    warnings: int
    assessed: int
    hits: int
    false_alarms: int
    missed: int
    accuracy: float | None
    false_rate: float | None
    missed_rate: float | None
    threat_score: float | None


class AssessmentFigures(Value):
    """What people said of the month's warnings until the log's head; the last verdict on each counts."""

    total: AssessmentSum
    by_hazard: tuple[AssessmentSum, ...]


# --- drills and the data itself -------------------------------------------------------------------------------


class DrillFigures(Value):
    """What was done for exercise; nothing of it is in any other figure."""

    started: int
    stopped: int
    messages: int
    releases: int
    told: int
    posts: int
    confirmed: int


class PolicyAdoption(Value):
    """A policy was adopted."""

    at: Moment
    policy_sha256: str


class DataFigures(Value):
    """What bears on how complete the figures are, and how many events of the month they were counted from."""

    events: int
    parked: int
    feeds_fell_silent: int
    sending_stopped: int
    policies_adopted: tuple[PolicyAdoption, ...]


class MonthlyReport(Value):
    """The content of a month's report, the same for the same log, position and month wherever it is computed.

    `position` is the log's position up to which it was read; `recorded_until` the newest moment recorded there.
    """

    outlet: str
    month: str
    timezone: str
    begins: Moment
    ends: Moment
    is_over: bool
    position: int
    recorded_until: Moment | None
    policy_sha256: str
    releases: ReleaseFigures
    messages: MessageFigures
    times: TimeFigures
    telling: TellingFigures
    call_ups: CallUpFigures
    consultation: ConsultationFigures
    assessment: AssessmentFigures
    drills: DrillFigures
    data: DataFigures
