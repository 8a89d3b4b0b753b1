"""The subscribers' pages: sandboxed templates without a script, and the headers that keep a link's token to itself.

A page shows what is wanted and never a contact: whoever has a link in hand learns no address from it.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from adapters.http.languages import PageLanguage, page_language
from adapters.http.subscriptions.words import FINDINGS, TAGS, WORDS
from adapters.subscriptions.checking import FormChecker, PointForm, WantedForm
from domain.findings import Finding
from domain.levels import Level
from domain.policy import Policy
from domain.ports import Gazetteer
from domain.recipients import EVERY_HAZARD
from domain.subscriptions import MOST_CIRCLES, Wanted
from domain.texts import hazard_name

FOLDER: Final = Path(__file__).parent / "pages"
_STYLE: Final = (FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POINTS_SHOWN: Final = 1

PRIVATE: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
"""On every answer behind a token, so that the token stays between its owner and this server."""

HEADERS: Final[Mapping[str, str]] = {
    **PRIVATE,
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True, slots=True)
class Named:
    """Something to choose from."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a form holds when it is shown. `more_areas` are codes that have no box of their own."""

    areas: Sequence[str] = ()
    more_areas: str = ""
    points: Sequence[Mapping[str, Any]] = ()
    hazards: Sequence[str] = ()
    level_min: str = Level.WHITE.value
    language: str = ""


class Pages:
    """Lays pages out for one outlet."""

    def __init__(self, policy: Policy, gazetteer: Gazetteer, checker: FormChecker) -> None:
        """The templates are read when they are first used."""
        self._policy = policy
        self._gazetteer = gazetteer
        self._checker = checker
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, auto_reload=False
        )

    def language(self, request: Request) -> PageLanguage:
        """The language that this request is answered in."""
        return page_language(request, self._policy.outlet.languages[0])

    def page(self, request: Request, name: str, status: int = 200, **words: Any) -> HTMLResponse:  # noqa: ANN401 -- a template's
        """The template of this name."""
        language = self.language(request)
        other: PageLanguage = "en" if language == "zh" else "zh"
        names = self._policy.outlet.names
        content = self._environment.get_template(f"{name}.html").render(
            t=WORDS[language],
            lang=language,
            tag=TAGS[language],
            other=other,
            other_tag=TAGS[other],
            outlet=names.get(TAGS[language]) or next(iter(names.values()), self._policy.outlet.id),
            style=Markup(_STYLE),  # noqa: S704 -- our own file, without a character of anybody else's
            **{"wrong": (), **words},
        )
        return HTMLResponse(content, status, dict(HEADERS))

    def message(self, request: Request, subject: str, status: int = 200) -> HTMLResponse:
        """A page that says one thing."""
        return self.page(request, "message", status, subject=subject)

    def subscribe(
        self, request: Request, form: WantedForm | None = None, wrong: Sequence[str] = (), status: int = 200
    ) -> HTMLResponse:
        """The form, as it was filled in where something was wrong with it; never the contact."""
        chosen = self._chosen(form or WantedForm(hazards=(), language=self._policy.outlet.languages[0]))
        offer = self._offer(self.language(request))
        return self.page(request, "subscribe", status, offer=offer, chosen=chosen, wrong=wrong)

    def manage(
        self,
        request: Request,
        wanted: Wanted,
        *,
        said: str = "",
        form: WantedForm | None = None,
        wrong: Sequence[str] = (),
    ) -> HTMLResponse:
        """A subscription, with what can be done about it."""
        language = self.language(request)
        chosen = self._chosen(form or _form_of(wanted))
        words = {"said": said, "wrong": wrong, "offer": self._offer(language), "chosen": chosen}
        return self.page(request, "manage", 400 if wrong else 200, shown=self._shown(wanted, language), **words)

    def confirm(self, request: Request, wanted: Wanted) -> HTMLResponse:
        """What was asked for, with the button that confirms it."""
        return self.page(request, "confirm", shown=self._shown(wanted, self.language(request)))

    def sentences(self, request: Request, findings: Sequence[Finding]) -> list[str]:
        """What is wrong, in the page's language."""
        said = FINDINGS[self.language(request)]
        return list(dict.fromkeys(said.get(found.code, found.sentence) for found in findings))

    def _offer(self, language: PageLanguage) -> dict[str, Any]:
        policy = self._policy
        return {
            "areas": [Named(area.code, area.name) for area in self._gazetteer.districts()],
            "hazards": [Named(one.code, one.name(TAGS[language])) for one in policy.hazards if one.merges_into is None],
            "levels": [Named(level.value, self._level(level, language)) for level in Level],
            "languages": policy.outlet.languages,
            "has_points": self._checker.has_points,
        }

    def _chosen(self, form: WantedForm) -> Chosen:
        boxes = {area.code for area in self._gazetteer.districts()}
        points: list[Mapping[str, Any]] = [point.model_dump() for point in form.points]
        if len(points) < MOST_CIRCLES:
            points.append({"latitude": "", "longitude": "", "radius_km": ""})
        return Chosen(
            areas=form.areas,
            more_areas=", ".join(code for code in form.areas if code not in boxes),
            points=points,
            hazards=form.hazards,
            level_min=form.level_min,
            language=form.language,
        )

    def _shown(self, wanted: Wanted, language: PageLanguage) -> dict[str, Any]:
        areas = [(code, self._gazetteer.area(code)) for code in wanted.areas]
        hazards = [code for code in wanted.hazards if code != EVERY_HAZARD]
        return {
            "channel": wanted.channel.value,
            "areas": [area.name if area else code for code, area in areas],
            "points": wanted.circles,
            "hazards": [hazard_name(self._policy, code, TAGS[language]) for code in hazards],
            "level": self._level(wanted.level_min, language),
            "language": wanted.language,
        }

    def _level(self, level: Level, language: PageLanguage) -> str:
        """The policy's word for a level, where it has one in this language."""
        words = self._policy.texts.get(TAGS[language])
        return words.levels[level] if words else level.value


def _form_of(wanted: Wanted) -> WantedForm:
    return WantedForm(
        areas=wanted.areas,
        points=tuple(PointForm.model_validate(circle.model_dump()) for circle in wanted.circles),
        hazards=tuple(code for code in wanted.hazards if code != EVERY_HAZARD),
        level_min=wanted.level_min.value,
        language=wanted.language,
    )
