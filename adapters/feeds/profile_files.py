"""Loads list profiles from TOML: an operator's own, and those shipped in `profiles/`."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from adapters.feeds.profile import ListProfile

_SHIPPED = Path(__file__).parent / "profiles"
_TABLES = _SHIPPED / "tables"
_SHARED = ("hazards", "levels")


class ProfileError(Exception):
    """A profile cannot be used; `problems` lists everything that is wrong with it."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(f"{source}: {'; '.join(self.problems)}")


def profile_from_toml(text: str, *, source: str = "profile") -> ListProfile:
    """The profile that a TOML text describes; `source` names it in errors.

    `include = ["chinese-signals"]` brings in shipped tables of hazards and levels; what the text itself says wins.

    Raises:
        ProfileError: with every problem, unknown keys among them.
    """
    try:
        described = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(source, [f"not TOML: {error}"]) from error
    _bring_in_tables(described, source)
    try:
        return ListProfile.model_validate(described)
    except ValidationError as error:
        raise ProfileError(source, [_problem(each["loc"], each["msg"]) for each in error.errors()]) from error


def load_profile(path: Path) -> ListProfile:
    """The profile in a file.

    Raises:
        ProfileError: the file cannot be read, or with every problem in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(path.name, [f"the file cannot be read: {error}"]) from error
    return profile_from_toml(text, source=path.name)


def shipped_profile_names() -> tuple[str, ...]:
    """The names of the shipped profiles, sorted."""
    return tuple(sorted(path.stem for path in _SHIPPED.glob("*.toml")))


def shipped_profile(name: str) -> ListProfile:
    """The shipped profile of that name.

    Raises:
        ProfileError: there is none.
    """
    if name not in shipped_profile_names():
        raise ProfileError(name, [f"no such profile; shipped are {', '.join(shipped_profile_names())}"])
    return load_profile(_SHIPPED / f"{name}.toml")


def _bring_in_tables(described: dict[str, Any], source: str) -> None:
    """Replace `include` by the tables that it names, below what the profile says itself."""
    included = described.pop("include", [])
    known = {path.stem for path in _TABLES.glob("*.toml")}
    if not isinstance(included, list) or not all(isinstance(name, str) and name in known for name in included):
        raise ProfileError(source, [f"include lists names among {', '.join(sorted(known))}"])
    for name in included:
        tables: Mapping[str, Any] = tomllib.loads((_TABLES / f"{name}.toml").read_text(encoding="utf-8"))
        for table in _SHARED:
            own = described.get(table, {})
            # A table of another type is left for the model to refuse.
            if isinstance(own, dict):
                described[table] = {**tables.get(table, {}), **own}


def _problem(location: Sequence[int | str], sentence: str) -> str:
    where = ".".join(str(step) for step in location)
    sentence = sentence.removeprefix("Value error, ")
    return f"{where}: {sentence}" if where else sentence
