"""`/v1/warnings/{id}/explain`: why a release says what it says.

Put together by the rules of `projections.explanation`, over released content alone: what was merged and is still
held, who approved and who settled a conflict are the house's own business.
"""

from dataclasses import asdict
from typing import Any, Final

from adapters.http.public.released import PublicRelease
from adapters.http.public.source import Outlet
from domain.sections import Section

# The sentences of the rules are the projection's; only what they are asked about is another content here.
from projections.explanation import Telling
from projections.words import change_words, word

LANGUAGES: Final = {"zh": "zh-CN", "en": "en"}


def read_language(text: str) -> str:
    """`zh` or `en`.

    Raises:
        ValueError: there are no explanations in this language.
    """
    if text not in LANGUAGES:
        raise ValueError(f"explanations are in {', '.join(LANGUAGES)}")
    return text


def explanation(outlet: Outlet, releases: list[PublicRelease], chosen: PublicRelease, language: str) -> dict[str, Any]:
    """The explanation of one release of a warning, with the way there: what each release changed."""
    telling = Telling(outlet.log, outlet.tables, chosen.policy, LANGUAGES[language])
    event = chosen.event
    return {
        "warning_id": event.warning_id,
        "district": event.district,
        "name": chosen.name,
        "release": event.number,
        "revision": event.revision,
        "released_at": chosen.released_at,
        "identifier": event.identifier,
        "language": language,
        "cause": event.cause,
        "sentence": word(event.cause, LANGUAGES[language]),
        "sections": [asdict(telling.section(_without_people(section))) for section in event.sections],
        "releases": [_told(release, LANGUAGES[language]) for release in releases],
    }


def _told(release: PublicRelease, language: str) -> dict[str, Any]:
    changes = [change.model_dump(mode="json") for change in release.event.changes]
    return {
        "release": release.event.number,
        "revision": release.event.revision,
        "released_at": release.released_at,
        "identifier": release.event.identifier,
        "message_type": release.event.message_type.value,
        "cause": release.event.cause,
        "sentence": word(release.event.cause, language),
        "changes": [change_words(change, release.policy, language) for change in changes],
    }


def _without_people(section: Section) -> Section:
    if section.conflict is None:
        return section
    conflict = section.conflict.model_copy(update={"settled_by": "", "settled_reason": ""})
    return section.model_copy(update={"conflict": conflict})
