"""The part of the policy that says who is called up (叫应), when, and what they are asked."""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated

from pydantic import Field

from domain.levels import Level
from domain.recipients import EVERY_HAZARD
from domain.values import Language, Value


class QuestionDefinition(Value):
    """A question that somebody who was called up answers on their page, in each language."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    names: Mapping[Language, str]


class CallUpDefinition(Value):
    """Which releases responsible people must confirm (叫应), and what happens while they do not.

    A hazard of `hazards` that enters at or rises to `level_min` or higher calls up everyone concerned whose role is in
    `roles`; without roles nobody is called up. Whoever has not confirmed after `voice_after_seconds` is called by
    telephone and the next one of their post is asked; after `questions_after_seconds` the questions are due, answered
    or not; `report_after_seconds` after the lifting it is recorded who confirmed, when, and what they answered.
    """

    hazards: tuple[str, ...] = ("*",)
    level_min: Level = Level.ORANGE
    roles: tuple[str, ...] = ()
    voice_after_seconds: float = Field(default=180, gt=0)
    questions_after_seconds: float = Field(default=900, gt=0)
    report_after_seconds: float = Field(default=1800, gt=0)
    questions: tuple[QuestionDefinition, ...] = ()
    report_questions: tuple[QuestionDefinition, ...] = ()


def call_up_problems(callup: CallUpDefinition, hazards: Collection[str]) -> Iterable[str]:
    """What is wrong with it in a policy with these hazards: one that is unknown, a question's id that stands twice."""
    for code in callup.hazards:
        if code not in {EVERY_HAZARD, *hazards}:
            yield f"callup.hazards: unknown hazard {code}"
    for name, questions in (("questions", callup.questions), ("report_questions", callup.report_questions)):
        ids = [question.id for question in questions]
        for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
            yield f"callup.{name}: the id {id_} occurs twice"
