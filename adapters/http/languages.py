"""In which language a page is shown: Chinese and English are there, and who asks may say which."""

from typing import Final, Literal, get_args

from starlette.requests import Request

PageLanguage = Literal["zh", "en"]
PAGE_LANGUAGES: Final[tuple[PageLanguage, ...]] = get_args(PageLanguage)
LONGEST_HEADER: Final = 1_000


def asked_language(request: Request) -> PageLanguage | None:
    """The language that `?lang=` names; None without one, or with one that there is not."""
    return _known(request.query_params.get("lang", ""))


def page_language(request: Request, own: str) -> PageLanguage:
    """What `?lang=` names, else what the browser asks for first (RFC 9110, section 12.5.4), else the outlet's own."""
    asked = asked_language(request)
    if asked is not None:
        return asked
    wishes: list[tuple[float, PageLanguage]] = []
    for part in request.headers.get("accept-language", "")[:LONGEST_HEADER].split(","):
        tag, _, weight = part.strip().partition(";")
        language, share = _known(tag), _weight(weight)
        if language is not None and share > 0:
            wishes.append((share, language))
    if wishes:
        return max(wishes, key=lambda wish: wish[0])[1]
    return _known(own) or "en"


def _known(tag: str) -> PageLanguage | None:
    first = tag.strip().lower().split("-")[0]
    return next((language for language in PAGE_LANGUAGES if language == first), None)


def _weight(text: str) -> float:
    """A wish's weight (RFC 9110, section 12.4.2); what cannot be read weighs nothing."""
    name, _, value = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0
