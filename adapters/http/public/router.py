"""The public addresses, and which part answers each."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter
from msgspec.json import encode
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.http.public import documentation as said
from adapters.http.public import feed, models
from adapters.http.public.answers import FRESH, Body, answer
from adapters.http.public.explaining import explanation, read_language
from adapters.http.public.forms import Form, release_body, wanted_form, without_suffix
from adapters.http.public.listing import Listing
from adapters.http.public.query import FILTERS, Parameters, read_truth, read_whole
from adapters.http.public.refusals import no_release, no_warning, too_many_streams
from adapters.http.public.released import Archive, PublicRelease
from adapters.http.public.routes import STREAM_PATH, Atom, EventStream, GeoJson, PublicRoute, preflight
from adapters.http.public.source import Outlet, ReleaseIndex
from adapters.http.public.streaming import Start, StreamOptions, Streams

LARGEST_POSITION = 2**63 - 1


class PublicRouter(APIRouter):
    """The public API of one outlet.

    A server must call `close` when it begins to stop (or have a limit on its graceful shutdown): streams do not end
    by themselves. Clients then come back by `Last-Event-ID`.
    """

    def __init__(self, outlet: Outlet, options: StreamOptions) -> None:
        """Nothing is read before the first request."""
        super().__init__(route_class=PublicRoute, tags=["public"], lifespan=self._living)
        self._outlet = outlet
        self._index = ReleaseIndex(outlet.log, outlet.tables)
        self._archive = Archive(outlet)
        self._listing = Listing(outlet, self._index, self._archive)
        self.streams = Streams(outlet, self._index, self._archive, self._listing, options)
        self._add_warnings()
        self._add_releases()
        self._add_news()

    def close(self) -> None:
        """End every stream; may be called from any thread, and twice."""
        self.streams.close()

    @asynccontextmanager
    async def _living(self, _app: object) -> AsyncIterator[None]:
        self.streams.reopen()
        yield
        self.close()

    def _offer(self, path: str, endpoint: Callable[..., Any], *, has_head: bool = True, **words: Any) -> None:  # noqa: ANN401 -- FastAPI's own
        self.add_api_route(path, endpoint, methods=["GET"], operation_id=endpoint.__name__, **words)
        if has_head:
            self.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
        self.add_api_route(path, preflight, methods=["OPTIONS"], include_in_schema=False)

    def _add_warnings(self) -> None:
        self._offer(
            "/v1/warnings",
            self.warnings,
            summary="The warnings in force, now or at a past moment, as GeoJSON",
            response_class=GeoJson,
            responses={200: {"model": models.Warnings}, **said.NOT_MODIFIED, **said.BAD_PARAMETERS, **said.UNAVAILABLE},
            openapi_extra={"parameters": said.LIST},
        )
        self._offer(
            "/v1/warnings/{warning_id}",
            self.newest_release,
            summary="A warning's newest release, as JSON, CAP 1.2 or 12379",
            response_class=JSONResponse,
            responses={200: {"model": models.CurrentRelease, "content": said.FORMS}, **_ONE},
            openapi_extra={"parameters": [said.WARNING_ID]},
        )
        self._offer(
            "/v1/warnings/{warning_id}/explain",
            self.explain,
            summary="Why a warning says what it says",
            response_class=JSONResponse,
            responses={
                200: {"model": models.Explanation},
                **said.NOT_MODIFIED,
                **said.BAD_PARAMETERS,
                **said.NOT_FOUND,
                **said.UNAVAILABLE,
            },
            openapi_extra={"parameters": said.EXPLAIN},
        )

    def _add_releases(self) -> None:
        self._offer(
            "/v1/warnings/{warning_id}/revisions",
            self.releases,
            summary="A warning's releases, the first one first",
            response_class=JSONResponse,
            responses={200: {"model": models.Releases}, **_ONE},
            openapi_extra={"parameters": [said.PLAIN_ID]},
        )
        self._offer(
            "/v1/warnings/{warning_id}/revisions/{n}",
            self.release,
            summary="One release, as JSON, CAP 1.2 or 12379; it never changes",
            response_class=JSONResponse,
            responses={200: {"model": models.Release, "content": said.FORMS}, **_ONE},
            openapi_extra={"parameters": [said.PLAIN_ID, said.NUMBER]},
        )

    def _add_news(self) -> None:
        self._offer(
            "/v1/feed.atom",
            self.atom,
            summary="The newest 100 releases as an Atom feed of CAP documents",
            response_class=Atom,
            responses={
                200: {"content": {feed.MEDIA_TYPE: {"schema": {"type": "string"}}}},
                **said.NOT_MODIFIED,
                **said.BAD_PARAMETERS,
                **said.UNAVAILABLE,
            },
        )
        example = {"schema": {"type": "string"}, "example": said.STREAM_EXAMPLE}
        self._offer(
            STREAM_PATH,
            self.stream,
            has_head=False,
            summary="Every release as it happens, as server-sent events",
            description=said.STREAM_WORDS,
            status_code=200,
            response_class=EventStream,
            responses={200: {"content": {EventStream.media_type: example}}, **said.BAD_PARAMETERS, **said.FULL},
            openapi_extra={"parameters": said.STREAM},
        )

    def warnings(self, request: Request) -> Response:
        """One feature for each district with a released warning in force. Unknown parameters are refused."""
        return self._listing.answer(request)

    def newest_release(self, request: Request) -> Response:
        """The newest release; `in_force` are the hazards in it that have not expired since."""
        Parameters(request, ()).refuse_if_any()
        warning_id, suffixed = without_suffix(request.path_params["warning_id"])
        positions = self._positions(warning_id)
        release = self._archive.at(positions[-1])
        wanted = wanted_form(request, suffixed)
        body = release_body(self._outlet, release, wanted, frozen=False)
        if wanted.form is Form.JSON:
            standing = [section.hazard for section in release.sections_at(self._outlet.clock.now())]
            content = encode({**release.document(), "in_force": standing})
            # No date of change: what expires changes nothing in the log.
            body = Body(content, body.media_type, FRESH, vary=body.vary)
        return answer(request, body, {"Content-Location": release.path})

    def releases(self, request: Request) -> Response:
        """Every release of the warning."""
        Parameters(request, ()).refuse_if_any()
        releases = self._releases_of(request.path_params["warning_id"])
        first = releases[0]
        document = {
            "warning_id": first.event.warning_id,
            "code": first.event.district,
            "name": first.name,
            "releases": [release.summary() for release in releases],
        }
        return answer(request, Body(encode(document), "application/json", FRESH, modified=releases[-1].event.at))

    def release(self, request: Request) -> Response:
        """The release with this number: the same bytes for ever."""
        Parameters(request, ()).refuse_if_any()
        warning_id = request.path_params["warning_id"]
        number, suffixed = without_suffix(request.path_params["n"])
        release = self._release(warning_id, number)
        return answer(request, release_body(self._outlet, release, wanted_form(request, suffixed), frozen=True))

    def explain(self, request: Request) -> Response:
        """Who says what, which rule made what of it, and how it came to be public; released content only."""
        warning_id = request.path_params["warning_id"]
        parameters = Parameters(request, ("lang", "release"))
        language = parameters.one("lang", read_language)
        number = parameters.one("release", str)
        parameters.refuse_if_any()
        releases = self._releases_of(warning_id)
        chosen = releases[-1] if number is None else self._release(warning_id, number)
        spoken = language or ("zh" if self._outlet.policy.outlet.languages[0].startswith("zh") else "en")
        document = explanation(self._outlet, releases, chosen, spoken)
        return answer(request, Body(encode(document), "application/json", FRESH))

    def atom(self, request: Request) -> Response:
        """Entries keep their ids for ever, and lead to the CAP documents."""
        Parameters(request, ()).refuse_if_any()
        self._index.catch_up()
        releases = [self._archive.at(position) for position in self._index.newest(feed.ENTRIES)]
        content = feed.feed(self._outlet.policy, releases, str(request.base_url).rstrip("/"))
        modified = releases[0].event.at if releases else None
        return answer(request, Body(content, feed.MEDIA_TYPE, FRESH, modified=modified))

    async def stream(self, request: Request) -> Response:
        """See `documentation.STREAM_WORDS`."""
        parameters = Parameters(request, (*FILTERS, "after", "state"))
        after = parameters.one("after", read_whole(0, LARGEST_POSITION))
        with_state = parameters.one("state", read_truth)
        last = request.headers.get("last-event-id")
        if last:
            # A browser repeats the address that it began with; what it has received since is newer.
            after, with_state = parameters.read("Last-Event-ID", last, read_whole(0, LARGEST_POSITION)), False
        if self.streams.is_full:
            raise too_many_streams(self.streams.maximum)
        await self.streams.start()
        wanted = self._listing.filter_of(parameters)
        parameters.refuse_if_any()
        return EventStream(self.streams, wanted, Start(after, bool(with_state)))

    def _positions(self, warning_id: str) -> list[int]:
        self._index.catch_up()
        positions = list(self._index.of_warning(warning_id))
        if not positions:
            raise no_warning(warning_id)
        return positions

    def _releases_of(self, warning_id: str) -> list[PublicRelease]:
        return [self._archive.at(position) for position in self._positions(warning_id)]

    def _release(self, warning_id: str, number: str) -> PublicRelease:
        positions = self._positions(warning_id)
        try:
            place = read_whole(1, len(positions))(number)
        except ValueError:
            raise no_release(warning_id, number, len(positions)) from None
        return self._archive.at(positions[place - 1])


_ONE: dict[int | str, dict[str, Any]] = {
    **said.NOT_MODIFIED,
    **said.BAD_PARAMETERS,
    **said.NOT_FOUND,
    **said.NOT_ACCEPTABLE,
    **said.UNAVAILABLE,
}


def public_router(platform: Outlet, options: StreamOptions | None = None) -> PublicRouter:
    """The public API over a platform."""
    return PublicRouter(platform, options or StreamOptions())
