"""What a gateway's answer means for the letter. Pure.

A word that the profile knows says more than a status: many gateways refuse with 200. An answer that says nothing that
can be read leaves the letter in doubt, unless its status is a plain no.
"""

from datetime import datetime
from typing import Final, assert_never

from adapters.channels.gateway_client import NotSentError
from adapters.channels.gateway_json import UnreadableError, json_in, without_numbers, word_at
from adapters.channels.gateway_profile import AnswerRule
from adapters.channels.port import Accepted, Later, Outcome, Refused
from adapters.channels.smpp_statuses import Meaning
from adapters.net.client import Answer, OutboundCode, OutboundError
from adapters.pollers.pacing import LONGEST_OBEYED_SECONDS, retry_after_seconds

_OK: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_CLIENT_ERRORS: Final = range(400, 500)
_FIRST_SERVER_ERROR: Final = 500
_UNAVAILABLE: Final = 503
_SLOW: Final = frozenset({408, 425})
_LONGEST_REFERENCE: Final = 200


def outcome_of(answer: Answer, rule: AnswerRule, letter_id: str, now: datetime) -> Outcome:
    """What became of a letter that was answered."""
    document = _document(answer)
    word = word_at(document, rule.code)
    said = without_numbers(word_at(document, rule.reason))
    reason = without_numbers(f"the gateway answered {answer.status}{f' {word}' if word else ''}")
    if said and said != word:
        reason = f"{reason}: {said}"
    pause = min(retry_after_seconds(answer.headers.get("retry-after", ""), now), LONGEST_OBEYED_SECONDS)
    if word in rule.accepted if rule.code else answer.status in rule.accepted_statuses:
        return Accepted(_reference(document, rule, letter_id))
    meaning = _meaning_of_word(word, rule)
    if meaning is None and answer.status in _OK:
        return Later(f"{reason}, and nothing that is known", after_seconds=pause, in_doubt=True)
    # Behind a 5xx without a known word the gateway, or a proxy before it, may have taken the letter all the same.
    is_in_doubt = meaning is None and answer.status >= _FIRST_SERVER_ERROR
    return _outcome(meaning or _meaning_of_status(answer.status, rule), reason, pause, is_in_doubt=is_in_doubt)


def outcome_without_answer(error: OutboundError) -> Outcome:
    """What became of a letter that was not answered. The error's words hold no query and no number."""
    if error.code is OutboundCode.URL:  # the route's own address was checked: what the letter adds makes it too long
        return Refused(str(error))
    if isinstance(error, NotSentError):
        return Later(str(error), is_route_down=True)
    return Later(str(error), in_doubt=True)


def _document(answer: Answer) -> object:
    try:
        return json_in(answer.body)
    except UnreadableError:
        return None


def _reference(document: object, rule: AnswerRule, letter_id: str) -> str:
    """By what reports will name it; the letter's own id where the gateway gives it back."""
    if not rule.reference:
        return letter_id
    return word_at(document, rule.reference)[:_LONGEST_REFERENCE]


def _meaning_of_word(word: str, rule: AnswerRule) -> Meaning | None:
    if not word:
        return None
    known = {
        Meaning.THROTTLED: rule.throttled,
        Meaning.NOT_NOW: rule.not_now,
        Meaning.ROUTE: rule.route,
        Meaning.LETTER: rule.refused,
        Meaning.DEAD_NUMBER: rule.dead,
    }
    return next((meaning for meaning, words in known.items() if word in words), None)


def _meaning_of_status(status: int, rule: AnswerRule) -> Meaning:
    if status in rule.throttled_statuses or status == _UNAVAILABLE:
        return Meaning.THROTTLED
    if status in rule.dead_statuses:
        return Meaning.DEAD_NUMBER
    if status in rule.refused_statuses:
        return Meaning.LETTER
    if status in _SLOW:
        return Meaning.NOT_NOW
    # A key that is not taken, an address that is not there, a redirect: no letter will pass until somebody mends it.
    return Meaning.ROUTE if status in _REDIRECTS or status in _CLIENT_ERRORS else Meaning.NOT_NOW


def _outcome(meaning: Meaning, reason: str, pause_seconds: float, *, is_in_doubt: bool) -> Outcome:
    match meaning:
        case Meaning.THROTTLED | Meaning.ROUTE:
            return Later(reason, after_seconds=pause_seconds, is_route_down=True)
        case Meaning.NOT_NOW:
            return Later(reason, after_seconds=pause_seconds, in_doubt=is_in_doubt)
        case Meaning.LETTER:
            return Refused(reason)
        case Meaning.DEAD_NUMBER:
            return Refused(reason, address_is_dead=True)
        case _:
            assert_never(meaning)
