"""What one person's page of a call-up shows, and how: from the state of the call-ups to HTML without any script."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from adapters.http.callup.wording import CHINESE, WORDS, Words
from domain.callup import LONGEST_ANSWER
from domain.callup_events import CallUpEnd
from domain.callup_policy import QuestionDefinition
from domain.callup_state import Call, CallUps
from domain.levels import Level
from domain.messages import Mode
from domain.policy import Policy
from domain.ports import Gazetteer
from domain.recipients import RecipientNumber
from projections.words import hazard_name, level_word

TEMPLATES: Final = Path(__file__).parent / "templates"
STYLE: Final = (TEMPLATES / "page.css").read_text(encoding="utf-8")
_STYLE_DIGEST: Final = base64.b64encode(sha256(STYLE.encode()).digest()).decode()

HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Vary": "Accept-Language",
}
"""No script, no cookie, nothing from elsewhere, kept by nobody and found by no search engine."""

_LIFTED: Final = frozenset({CallUpEnd.LIFTED, CallUpEnd.LOWERED})


@dataclass(frozen=True, slots=True)
class ShownHazard:
    """A hazard with its level, in colour and in a word."""

    name: str
    level: Level
    word: str


@dataclass(frozen=True, slots=True)
class ShownTime:
    """A time for people and for programs."""

    iso: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question, with what was answered."""

    id: str
    name: str
    answer: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the page shows. `step` is what its form sends: confirm, answers, report, or nothing."""

    language: str
    mark: str
    district: str
    hazards: tuple[ShownHazard, ...]
    opened: ShownTime
    step: str
    notices: tuple[str, ...]
    confirmed: ShownTime | None = None
    until: ShownTime | None = None
    heading: str = ""
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form brought that was not taken: the sentence for the person, and what they had written."""

    problem: str
    answers: Mapping[str, str] = field(default_factory=dict)


NOTHING_SENT: Final = Sent("")


class Pages:
    """Makes pages under the policy and the places of one outlet."""

    def __init__(self, policy: Policy, gazetteer: Gazetteer) -> None:
        """Templates are read when they are first used."""
        self._policy = policy
        self._gazetteer = gazetteer
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, auto_reload=False
        )

    def page(self, state: CallUps, number: RecipientNumber, language: str, *, sent: Sent = NOTHING_SENT) -> Page | None:
        """The page of one recipient; None for who was not called up."""
        own = state.of(number)
        if not own:
            return None
        standing = [call for call in own if not call.is_over]
        shown = standing or own
        area = self._gazetteer.area(state.district)
        more = self._standing(standing, language, sent) if standing else self._over(own, language, sent)
        confirmations = [call.confirmed for call in shown if call.confirmed is not None]
        all_confirmed = len(confirmations) == len(shown)
        return Page(
            language=language,
            mark=self._mark(language) if state.mode is Mode.DRILL else "",
            district=area.name if area else state.district,
            hazards=self._hazards(shown, language),
            opened=self._time(max(call.opened for call in shown)),
            confirmed=self._time(max(confirmations)) if all_confirmed else None,
            step=more.step,
            notices=more.notices,
            until=more.until,
            heading=more.heading,
            questions=more.questions,
        )

    def _standing(self, calls: Sequence[Call], language: str, sent: Sent) -> "_Form":
        words = WORDS[language]
        if any(call.is_waiting for call in calls):
            return _Form("confirm", (words.please_confirm,))
        questions = self._questions(self._policy.callup.questions, [call.answers for call in calls], language, sent)
        if not questions:
            return _Form("", (words.nothing_to_do,))
        dues = [call.questions_due for call in calls if call.questions_due is not None]
        is_answered = all(call.answers for call in calls)
        return _Form(
            "answers",
            (words.answered,) if is_answered else (),
            until=self._time(min(dues)) if dues and not is_answered else None,
            heading=words.questions,
            questions=questions,
        )

    def _over(self, calls: Sequence[Call], language: str, sent: Sent) -> "_Form":
        words = WORDS[language]
        ends = {call.ended for call in calls}
        notice = _end_words(words, ends)
        reports = [call.report for call in calls if call.ended in _LIFTED]
        questions = self._questions(self._policy.callup.report_questions, reports, language, sent) if reports else ()
        if not questions:
            return _Form("", (notice, words.nothing_to_do))
        is_reported = all(reports)
        return _Form(
            "report",
            (notice, *((words.reported,) if is_reported else ())),
            heading=words.report if CallUpEnd.LIFTED in ends else words.questions,
            questions=questions,
        )

    def _questions(
        self, asked: Sequence[QuestionDefinition], answers: Sequence[Mapping[str, str]], language: str, sent: Sent
    ) -> tuple[Question, ...]:
        known = {name: text for said in answers for name, text in said.items()} | dict(sent.answers)
        return tuple(Question(one.id, _named(one.names, language, one.id), known.get(one.id, "")) for one in asked)

    def _hazards(self, calls: Sequence[Call], language: str) -> tuple[ShownHazard, ...]:
        levels: dict[str, Level] = {}
        for call in calls:
            for one in call.hazards:
                levels[one.hazard] = max(one.level, levels.get(one.hazard, one.level))
        ordered = sorted(levels.items(), key=lambda found: (-found[1].rank, found[0]))
        return tuple(
            ShownHazard(hazard_name(hazard, self._policy, language), level, level_word(level, language))
            for hazard, level in ordered
        )

    def _mark(self, language: str) -> str:
        """The policy's mark in the page's language, else in its first one."""
        spoken = [tag for tag in self._policy.outlet.languages if _is_same(tag, language)]
        return self._policy.texts[next(iter([*spoken, *self._policy.outlet.languages]))].drill_mark

    def _time(self, moment: datetime) -> ShownTime:
        local = moment.astimezone(self._policy.zone)
        iso = local.isoformat(timespec="seconds")
        return ShownTime(iso, f"{local:%Y-%m-%d %H:%M} (UTC{iso[-6:]})")

    def html(self, page: Page, *, problem: str = "") -> str:
        """The page as HTML; a `problem` is told at its top."""
        template = self._environment.get_template("call_up.html")
        return template.render(
            page=page,
            words=WORDS[page.language],
            style=STYLE,
            problem=problem,
            longest=LONGEST_ANSWER,
            other=_other(page.language),
        )

    def plain(self, language: str, title: str, sentence: str) -> str:
        """A page that says one thing and asks for nothing."""
        template = self._environment.get_template("plain.html")
        return template.render(language=language, title=title, sentence=sentence, style=STYLE)


@dataclass(frozen=True, slots=True)
class _Form:
    """What is asked of somebody now."""

    step: str
    notices: tuple[str, ...]
    until: ShownTime | None = None
    heading: str = ""
    questions: tuple[Question, ...] = ()


def _end_words(words: Words, ends: set[CallUpEnd | None]) -> str:
    for end, sentence in (
        (CallUpEnd.LIFTED, words.lifted),
        (CallUpEnd.LOWERED, words.lowered),
        (CallUpEnd.STOPPED, words.stopped),
    ):
        if end in ends:
            return sentence
    return words.renewed


def _named(names: Mapping[str, str], language: str, otherwise: str) -> str:
    same = [name for tag, name in names.items() if _is_same(tag, language)]
    return next(iter([*same, *names.values()]), otherwise)


def _is_same(tag: str, language: str) -> bool:
    return tag.split("-", maxsplit=1)[0].lower() == language.split("-", maxsplit=1)[0]


def _other(language: str) -> str:
    return "en" if language == CHINESE else "zh"
