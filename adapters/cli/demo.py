"""`outlet demo`: typhoon Muifa over Shaoxing, in a directory that is gone afterwards."""

from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from adapters.cli.common import errors_as_sentences, fail, globals_of, out


class Language(StrEnum):
    """In which language the play is told."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


def demo(
    context: typer.Context,
    *,
    speed: Annotated[
        float | None,
        typer.Option(min=0, help="Simulated seconds per second, 0 without waiting; a terminal's default takes 25 s."),
    ] = None,
    lang: Annotated[Language, typer.Option("--lang", help="The language of names and texts.")] = Language.BOTH,
    data: Annotated[Path | None, typer.Option("--data", help="Keep what is played in this new directory.")] = None,
) -> None:
    """Play two days of typhoon warnings through the real platform. Sends nothing; no network is used."""
    kept = data or globals_of(context).data_dir
    if kept is not None and (kept / "events.sqlite").exists():
        fail(f"{kept} holds an outlet already; the demonstration needs a directory of its own")
    if kept is not None:
        _play(kept, speed, lang)
        return
    with TemporaryDirectory(prefix="outlet-demo-") as folder:
        _play(Path(folder), speed, lang)


def _play(folder: Path, speed: float | None, language: Language) -> None:
    from adapters.demo import DemoError, open_platform, play

    with errors_as_sentences(), open_platform(folder) as platform:
        try:
            play(platform, out, speed=speed, language=language.value)
        except DemoError as error:
            fail(str(error))
