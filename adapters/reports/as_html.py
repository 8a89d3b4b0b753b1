"""A report as one HTML file: its style and its charts in it, no script, nothing fetched from anywhere."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from adapters.channels.mail_html import COLOURS
from adapters.reports.as_svg import svg_of
from adapters.reports.blocks import Chart, Document, Heading, LevelCell, Paragraph, Table
from adapters.reports.charts import ON_COLOUR, OUTLINE

TEMPLATES: Final = Path(__file__).parent / "templates"

_NOT_FOR_HTML: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def html_of(document: Document) -> bytes:
    """The report in UTF-8. Its policy for browsers allows the one style that stands in it, and nothing else."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8") + _level_styles()
    text = (
        _environment()
        .get_template("report.html")
        .render(
            document=document,
            style=Markup(style),  # noqa: S704 -- our own file and colours, no text of anybody's
            style_hash=b64encode(sha256(style.encode()).digest()).decode(),
            kinds={"heading": Heading, "paragraph": Paragraph, "table": Table, "chart": Chart, "level": LevelCell},
            svg_of=svg_of,
        )
    )
    return _NOT_FOR_HTML.sub("\N{REPLACEMENT CHARACTER}", text).encode()


def _level_styles() -> str:
    return "".join(
        f".level-{level.value} {{ background: {colour}; color: {ON_COLOUR[level]}; border: 1px solid {OUTLINE}; }}\n"
        for level, colour in COLOURS.items()
    )


def _is_a(value: object, kind: type[object]) -> bool:
    return isinstance(value, kind)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["a_kind"] = _is_a
    return environment
