"""What every command shares: the options, the platform, times on the command line, and how errors end."""

import json
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from adapters.cap.signing_errors import SigningError
from adapters.clocks import ManualClock
from adapters.connections import ConnectionsError
from adapters.feeds.profile_files import ProfileError
from adapters.gazetteer.errors import GazetteerError
from adapters.settings import Settings, SettingsError, from_environment
from adapters.store.errors import StoreError
from adapters.store.read_errors import ReadTablesUnavailableError
from adapters.wiring import NothingHereError, Part, Platform, ReadSide, build, has_outlet, open_for_reading
from domain.areas import Area
from domain.messages import Mode
from domain.policy import Policy, PolicyError
from domain.ports import Gazetteer, VersionConflictError
from domain.release import ReleaseError
from domain.rosters import RosterModeError

REFUSED: Final = 1
USAGE: Final = 2

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
AtOption = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="A moment in ISO 8601; without a zone it is in the outlet's.")
]
ClockOption = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="As if it were this moment, in ISO 8601 with its zone; else now."),
]
LanguageOption = Annotated[
    str | None, typer.Option("--lang", metavar="zh|en", help="Language of names and texts; else by LANG.")
]
ModeOption = Annotated[Mode, typer.Option("--mode", help="Live warnings, or those of drills.")]


@dataclass(frozen=True, slots=True)
class Globals:
    """The options in front of the command."""

    data_dir: Path | None = None
    policy: str | None = None

    def settings(self) -> Settings:
        """The settings that these options and the environment make; what cannot be used ends the command."""
        try:
            return from_environment(data_dir=self.data_dir, policy=self.policy)
        except SettingsError as error:
            fail(str(error), USAGE)


def globals_of(context: typer.Context) -> Globals:
    """The options in front of the command."""
    found = context.find_object(Globals)
    return found if found is not None else Globals()


def fail(sentence: str, code: int = REFUSED) -> NoReturn:
    """End with a sentence on standard error."""
    err.print(f"outlet: {sentence}", markup=False, highlight=False)
    raise typer.Exit(code)


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Every error that a person can cause ends as a sentence and an exit code, never as a traceback."""
    try:
        yield
    except (PolicyError, GazetteerError, ProfileError, ConnectionsError, SigningError) as error:
        for line in str(error).splitlines():
            err.print(f"outlet: {line}", markup=False, highlight=False)
        raise typer.Exit(USAGE) from error
    except ValidationError as error:
        for found in error.errors(include_url=False):
            where = ".".join(str(part) for part in found["loc"])
            err.print(f"outlet: {error.title}: {where}: {found['msg']}", markup=False, highlight=False)
        raise typer.Exit(USAGE) from error
    except (
        NothingHereError,
        ReadTablesUnavailableError,
        ReleaseError,
        RosterModeError,
        StoreError,
        VersionConflictError,
    ) as error:
        fail(str(error))
    except LookupError as error:  # what was asked for is not there; KeyError would put its words in quotes
        fail(str(error.args[0]) if error.args else "not found")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))


@contextmanager
def platform_of(
    context: typer.Context, *, at: datetime | None = None, must_exist: bool = False, part: Part = Part.WHOLE
) -> Iterator[Platform]:
    """The platform for this command; with `at` it runs on a clock that stands at that moment."""
    with errors_as_sentences():
        settings = globals_of(context).settings()
        if must_exist and not has_outlet(settings):
            raise NothingHereError(settings.data_dir)
        clock = ManualClock(at) if at is not None else None
        with build(settings, clock=clock, part=part) as platform:
            yield platform


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set while this is entered."""
    stop = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def reading_of(context: typer.Context) -> Iterator[ReadSide]:
    """What answers this command's question; nothing is taken in, and no data directory is made."""
    with errors_as_sentences(), open_for_reading(globals_of(context).settings()) as read:
        yield read


def district_named(gazetteer: Gazetteer, named: str) -> Area:
    """The district with this code or name.

    Raises:
        LookupError: there is none such, with those that there are.
    """
    districts = gazetteer.districts()
    found = [area for area in districts if named in {area.code, area.name}]
    if not found:
        known = ", ".join(f"{area.name} {area.code}" for area in districts[:20])
        more = f" and {len(districts) - 20} more" if len(districts) > 20 else ""  # noqa: PLR2004 -- a line's worth
        raise LookupError(f"no district {named!r}; there are {known}{more}")
    return found[0]


def district_names(gazetteer: Gazetteer) -> dict[str, str]:
    """Every district's name by its code."""
    return {area.code: area.name for area in gazetteer.districts()}


def moment_of(text: str | None, policy: Policy | None = None) -> datetime | None:
    """The moment that a `--at` names; one without a zone is in the outlet's zone, and that is said."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--at {text!r} is not a time in ISO 8601, such as 2026-05-20T08:00:00+08:00", USAGE)
    if moment.tzinfo is None:
        if policy is None:
            fail(f"--at {text!r} needs a zone, such as {text}+08:00", USAGE)
        err.print(f"--at has no zone; taken as {policy.outlet.timezone}", style="dim")
        moment = moment.replace(tzinfo=policy.zone)
    return moment


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON document on standard output; Chinese stays Chinese."""
    out.file.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def language_of(option: str | None, settings: Settings) -> str:
    """The language tag for `--lang zh|en`, else the environment's."""
    if option is None:
        return settings.language
    known = {"zh": "zh-CN", "zh-cn": "zh-CN", "en": "en"}
    found = known.get(option.lower())
    if found is None:
        fail(f"--lang is zh or en, not {option!r}", USAGE)
    return found
