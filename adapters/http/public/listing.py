"""`/v1/warnings`: one feature for each district with a released warning in force, now or as it was at a moment."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlencode

from msgspec import DecodeError, Struct
from msgspec.json import decode, encode
from starlette.requests import Request
from starlette.responses import Response

from adapters.http.public.answers import FRESH, PAST, Body, answer
from adapters.http.public.places import Places
from adapters.http.public.query import (
    EARLIEST_YEAR,
    FILTERS,
    LATEST_YEAR,
    Box,
    Filter,
    Parameters,
    read_box,
    read_filter,
    read_past,
    read_point,
    read_whole,
)
from adapters.http.public.released import Archive, PublicRelease
from adapters.http.public.source import Outlet, ReleaseIndex
from domain.findings import Code, refusal
from projections.base import microseconds_of, moment_of

MEDIA_TYPE = "application/geo+json"
PARAMETERS = (*FILTERS, "point", "bbox", "at", "limit", "cursor")
DEFAULT_LIMIT, MOST_LIMIT = 200, 1_000


class Cursor(Struct, array_like=True, frozen=True):
    """Where a page ended; with the first page's moment and head of the log, so that all pages are one answer."""

    at: int
    until: int
    after: str
    asked: str

    def written(self) -> str:
        """The cursor as clients carry it."""
        return urlsafe_b64encode(encode(self)).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """The cursor a client brings back.

    Raises:
        ValueError: it is none that this API has written.
    """
    try:
        cursor = decode(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)), type=Cursor)
        if not EARLIEST_YEAR <= moment_of(cursor.at).year <= LATEST_YEAR:
            raise ValueError("it is none that came with a page of this API")
    except (DecodeError, NotBase64, UnicodeError, OverflowError):
        raise ValueError("it is none that came with a page of this API") from None
    return cursor


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for."""

    wanted: Filter
    point: tuple[float, float] | None
    box: Box | None
    at: datetime
    is_past: bool
    until: int
    after: str
    limit: int
    digest: str

    def cursor_after(self, code: str) -> str:
        """The cursor of the page behind this district."""
        return Cursor(microseconds_of(self.at), self.until, code, self.digest).written()


class Listing:
    """Answers `/v1/warnings`."""

    def __init__(self, outlet: Outlet, index: ReleaseIndex, archive: Archive) -> None:
        """Over these releases."""
        self._outlet = outlet
        self._index = index
        self._archive = archive
        self._places = Places(outlet.gazetteer)
        self._codes = frozenset(area.code for area in outlet.gazetteer.districts())

    def answer(self, request: Request) -> Response:
        """The page asked for.

        Raises:
            ProblemError: a parameter is unknown or cannot be used.
        """
        asked = self._asked(request)
        features, unlocated, is_last = self._page(asked)
        shown = b",".join(feature for _, feature in features)
        cursor = None if is_last else asked.cursor_after(features[-1][0])
        at = asked.at.astimezone(self._outlet.policy.zone).isoformat()
        head = {"at": at, "mode": "live", "unlocated": unlocated, "next_cursor": cursor}
        content = b'{"type":"FeatureCollection",' + encode(head)[1:-1] + b',"features":[' + shown + b"]}"
        body = Body(
            content=content,
            media_type=MEDIA_TYPE,
            cache=PAST if asked.is_past else FRESH,
            # The moment of asking is no part of what is in force.
            tag_of=encode([unlocated, is_last]) + shown,
        )
        if cursor is None:
            return answer(request, body)
        kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        return answer(
            request, body, {"Link": f'<{request.url.path}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'}
        )

    def knows_district(self, code: str) -> bool:
        """Whether the district is, or was, one of ours."""
        return code in self._codes or self._index.knows(code)

    def filter_of(self, parameters: Parameters) -> Filter:
        """The filters that lists and streams have in common."""
        return read_filter(parameters, policy=self._outlet.policy, knows_district=self.knows_district)

    def in_force(self, wanted: Filter, at: datetime, until: int) -> list[PublicRelease]:
        """The releases of which something asked for is in force, by district."""
        found = [
            self._archive.at(position)
            for code, position in self._index.newest_at(at, until)
            if wanted.wants_district(code)
        ]
        return [release for release in found if wanted.wants_content(release.sections_at(at))]

    def _asked(self, request: Request) -> Asked:
        head = self._index.catch_up()
        now = self._outlet.clock.now()
        parameters = Parameters(request, PARAMETERS)
        wanted = self.filter_of(parameters)
        point, box = parameters.one("point", read_point), parameters.one("bbox", read_box)
        at = parameters.one("at", read_past(now))
        limit = parameters.one("limit", read_whole(1, MOST_LIMIT)) or DEFAULT_LIMIT
        cursor = parameters.one("cursor", read_cursor)
        said = [item for item in request.query_params.multi_items() if item[0] not in {"cursor", "limit"}]
        digest = sha256(encode(sorted(said))).hexdigest()[:16]
        if cursor is not None and cursor.asked != digest:
            sentence = "The cursor belongs to a request with other parameters."
            parameters.findings.append(refusal(Code.VALUE, "/query/cursor", sentence))
        parameters.refuse_if_any()
        is_past = at is not None
        if cursor is not None:
            return Asked(
                wanted, point, box, moment_of(cursor.at), is_past, min(cursor.until, head), cursor.after, limit, digest
            )
        return Asked(wanted, point, box, at or now, is_past, head, "", limit, digest)

    def _page(self, asked: Asked) -> tuple[list[tuple[str, bytes]], list[str], bool]:
        """(district, feature) of the page, the districts that could not be located, and whether it is the last page."""
        features: list[tuple[str, bytes]] = []
        unlocated: list[str] = []
        is_spatial = asked.point is not None or asked.box is not None
        for code, position in self._index.newest_at(asked.at, asked.until):
            if code <= asked.after or not asked.wanted.wants_district(code):
                continue
            release = self._archive.at(position)
            sections = release.sections_at(asked.at)
            if not sections or not asked.wanted.wants_content(sections):
                continue
            if is_spatial and not self._places.is_located(code):
                unlocated.append(code)
                continue
            if not self._lies_there(code, asked):
                continue
            if len(features) == asked.limit:
                return features, unlocated, False
            said = release.whole if sections is release.event.sections else encode(release.properties(sections))
            features.append((code, self._feature(release, said)))
        return features, unlocated, True

    def _lies_there(self, code: str, asked: Asked) -> bool:
        if asked.point is not None and not self._places.meets_point(code, asked.point):
            return False
        return asked.box is None or self._places.meets_box(code, asked.box)

    def _feature(self, release: PublicRelease, said: bytes) -> bytes:
        return b"".join(
            (
                b'{"type":"Feature","id":',
                encode(release.event.warning_id),
                b',"geometry":',
                self._places.geometry(release.event.district),
                b',"properties":',
                said,
                b"}",
            )
        )
