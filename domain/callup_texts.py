"""The words of a call-up (叫应): what somebody is asked to confirm, in their language, or hears on the telephone.

Made of the sections that are released now, so that nobody is asked about what no longer stands. Where the recipient's
own link belongs there stands its place; it is filled in at the hand-over.
"""

from collections.abc import Collection, Sequence
from typing import assert_never

from domain.callup_events import CallUpStep
from domain.messages import Mode
from domain.notices import LINK_PLACE
from domain.policy import Policy, TextDefinition
from domain.sections import Section
from domain.telling_events import SendText
from domain.texts import headline_in
from domain.values import Language, Moment


def call_up_text(  # noqa: PLR0913 -- what is asked of whom, where and when
    policy: Policy,
    language: Language,
    sections: Sequence[Section],
    *,
    hazards: Collection[str],
    step: CallUpStep,
    mode: Mode,
    place: str,
    at: Moment,
) -> SendText:
    """The words by which somebody is reached in this step about these hazards; `place` is the district's name.

    A language that the outlet no longer has is the outlet's first one. A drill's text begins and ends with its mark.
    """
    spoken = language if language in policy.texts else policy.outlet.languages[0]
    words = policy.texts[spoken]
    headlines = words.separator.join(headline_in(one, spoken) for one in sections if one.hazard in hazards)
    mark = words.drill_mark if mode is Mode.DRILL else ""
    fields = {
        "headlines": headlines,
        "areas": place,
        "time": at.astimezone(policy.zone).strftime(words.time),
        "outlet": policy.outlet.names.get(spoken, policy.outlet.id),
    }
    said = _template(words, step).format(**fields, link=LINK_PLACE).strip()
    sms = f"{words.signature}{mark}{said}{mark}"
    return SendText(
        language=spoken,
        subject=f"{mark}{place + ' ' if place else ''}{headlines}{mark}",
        sms=sms,
        body=f"{mark}{said}{mark}",
        short=sms,
    )


def _template(words: TextDefinition, step: CallUpStep) -> str:
    match step:
        case CallUpStep.ASKED:
            return words.callup
        case CallUpStep.NEXT_ASKED:
            return words.callup_next
        case CallUpStep.CALLED:
            return words.callup_voice
        case CallUpStep.QUESTIONS_DUE:
            raise ValueError("nobody is sent anything when the questions fall due")
        case _:
            assert_never(step)
