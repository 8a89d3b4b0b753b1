"""A release in the form that is asked for: JSON, CAP 1.2 or 12379, by suffix or by Accept."""

import re
import zipfile
from dataclasses import dataclass, field
from enum import Enum
from io import BytesIO
from typing import Final, assert_never

from msgspec.json import encode
from starlette.requests import Request

from adapters.cn12379.names import BEIJING, MalformedNameError
from adapters.cn12379.writer import Cn12379Writer
from adapters.http.public.answers import FRESH, FROZEN, Body
from adapters.http.public.refusals import no_such_form, not_acceptable
from adapters.http.public.released import PublicRelease
from adapters.http.public.source import Outlet

CAP_TYPE: Final = "application/cap+xml"

_NOT_IN_A_FILE_NAME: Final = re.compile(r"[^0-9A-Za-z._-]")


class Form(Enum):
    """What a release can be had as."""

    JSON = "JSON"
    CAP = "CAP 1.2"
    CN12379 = "12379"


SUFFIXES: Final = {".12379.zip": Form.CN12379, ".json": Form.JSON, ".cap": Form.CAP, ".xml": Form.CAP}
TYPES: Final = {
    "application/json": Form.JSON,
    CAP_TYPE: Form.CAP,
    "application/xml": Form.CAP,
    "text/xml": Form.CAP,
    "application/zip": Form.CN12379,
}
"""In the order of our preference where a request likes several equally."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which form, under which media type; `vary` where Accept had a say in it."""

    form: Form
    media_type: str
    vary: str = field(default="")


def without_suffix(name: str) -> tuple[str, Form | None]:
    """A path's last part in its name and the form that its suffix asks for."""
    for suffix, form in SUFFIXES.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix), form
    return name, None


def wanted_form(request: Request, suffixed: Form | None) -> Wanted:
    """The form by suffix or, without one, by Accept (RFC 9110, section 12.5.1).

    Raises:
        HTTPException: 406, nothing that is offered is accepted.
    """
    if suffixed is not None:
        media_type = next(name for name, form in TYPES.items() if form is suffixed)
        return Wanted(suffixed, media_type)
    accepted = request.headers.get("accept", "*/*")
    liked = {name: _liking(name, accepted) for name in TYPES}
    best = max(liked, key=lambda name: liked[name])
    if liked[best] <= 0:
        raise not_acceptable(tuple(TYPES))
    return Wanted(TYPES[best], best, "Accept")


def _liking(media_type: str, accepted: str) -> float:
    """How much a media type is liked, 0 to 1, by the range that names it most exactly."""
    ranges = {"*/*": 1, f"{media_type.partition('/')[0]}/*": 2, media_type: 3}
    liked: dict[int, float] = {}
    for part in accepted.split(","):
        name, *more = (piece.strip().lower() for piece in part.split(";"))
        if name in ranges:
            weight = next((piece[2:] for piece in more if piece.startswith("q=")), "1")
            liked[ranges[name]] = _weight(weight)
    return liked[max(liked)] if liked else 0.0


def _weight(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def release_body(outlet: Outlet, release: PublicRelease, wanted: Wanted, *, frozen: bool) -> Body:
    """The release in the form asked for; `frozen` where the address names this release and no newer one.

    Raises:
        ProblemError: the release has no such form.
    """
    name = _NOT_IN_A_FILE_NAME.sub("_", release.event.identifier)
    return Body(
        content=_content(outlet, release, wanted.form),
        media_type=wanted.media_type,
        cache=FROZEN if frozen else FRESH,
        modified=release.event.at,
        file_name=f"{name}.zip" if wanted.form is Form.CN12379 else "",
        vary=wanted.vary,
    )


def _content(outlet: Outlet, release: PublicRelease, form: Form) -> bytes:
    match form:
        case Form.JSON:
            return encode(release.document())
        case Form.CAP:
            return cap_document(release)
        case Form.CN12379:
            return section_messages(outlet, release)
        case _:
            assert_never(form)


def cap_document(release: PublicRelease) -> bytes:
    """The CAP document that the release was frozen with, byte for byte.

    Raises:
        ProblemError: it went out without one.
    """
    if not release.event.cap:
        raise no_such_form(release.event.identifier, Form.CAP.value, "it went out without a document")
    return release.event.cap.encode()


def section_messages(outlet: Outlet, release: PublicRelease) -> bytes:
    """A zip of the 12379 message of each section that the release changed; the same release gives the same bytes.

    Raises:
        ProblemError: there is no message, because no sender code or no national event type is known.
    """
    try:
        files = Cn12379Writer(release.policy, outlet.gazetteer).write(release.event)
    except MalformedNameError as error:
        raise no_such_form(release.event.identifier, Form.CN12379.value, str(error)) from error
    if not files:
        why = "the outlet has no sender code, or no changed hazard a national event type"
        raise no_such_form(release.event.identifier, Form.CN12379.value, why)
    moment = release.event.at.astimezone(BEIJING)
    # A zip knows no year before 1980.
    stamp = (max(moment.year, 1980), moment.month, moment.day, moment.hour, moment.minute, moment.second)
    packed = BytesIO()
    names: set[str] = set()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, content) in enumerate(files, start=1):
            # Two hazards of one national type at one level share a prescribed name; a folder keeps both.
            entry = zipfile.ZipInfo(f"{number}/{name}" if name in names else name, stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            names.add(name)
            archive.writestr(entry, content)
    return packed.getvalue()
