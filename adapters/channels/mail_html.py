"""The HTML part of a warning's mail, from sandboxed templates that an outlet may replace by its own.

The words are the release's; a template only lays them out. What a template gets wrong keeps no warning back: the mail
then goes out with its plain part alone.
"""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from domain.levels import Level
from domain.messages import Mode
from domain.telling_events import SendText
from domain.values import Language
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

OWN_TEMPLATES: Final = Path(__file__).parent / "mail_templates"
FALLBACK_LANGUAGE: Final = "en"

COLOURS: Final = {
    Level.WHITE: "#f2f2f2",
    Level.BLUE: "#0057b8",
    Level.YELLOW: "#ffd100",
    Level.ORANGE: "#f07800",
    Level.RED: "#c8102e",
}

_LINK: Final = re.compile(r"https?://[!-~]+")
_NOT_FOR_HTML: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A piece of the body between blank lines; `is_link` where it is one address and nothing else."""

    text: str
    is_link: bool


class HtmlWriter:
    """Lays texts out by the templates `<language>.html`; those in `folder` go before the ones of this package."""

    def __init__(self, folder: Path | None = None) -> None:
        """Look for templates; they are read when they are first used."""
        folders = [OWN_TEMPLATES] if folder is None else [folder, OWN_TEMPLATES]
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined, auto_reload=False
        )

    def html(self, text: SendText, *, mode: Mode, level: Level) -> str | None:
        """The part's text; None where the template has a defect, which is logged."""
        found = attempt(lambda: self._rendered(text, mode, level))
        if isinstance(found, Failed):
            log.error("no HTML part in %s", text.language, exc_info=found.error)
            return None
        return found

    def _rendered(self, text: SendText, mode: Mode, level: Level) -> str:
        template = self._environment.select_template([f"{name}.html" for name in _names_of(text.language)])
        return template.render(
            language=text.language,
            subject=_shown(text.subject),
            paragraphs=[
                Paragraph(part, _LINK.fullmatch(part) is not None)
                for part in re.split(r"\n{2,}", _shown(text.body).strip("\n"))
            ],
            is_drill=mode is Mode.DRILL,
            level=level.value,
            colour=COLOURS[level],
        )


def _names_of(language: Language) -> list[str]:
    """The templates that fit a language, best first: `zh` and `zh-Hans` read what is written for `zh-CN`."""
    primary = language.split("-", 1)[0].lower()
    plain = re.sub(r"[^A-Za-z0-9-]", "", language)
    return [plain, *(["zh-CN"] if primary == "zh" else []), re.sub(r"[^a-z0-9]", "", primary), FALLBACK_LANGUAGE]


def _shown(text: str) -> str:
    """The text with line ends as one character; what HTML cannot hold is shown as U+FFFD."""
    return _NOT_FOR_HTML.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))
