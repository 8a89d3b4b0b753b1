"""Loads gateways' profiles from TOML: those shipped in `profiles/`, and an operator's own."""

import tomllib
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from adapters.channels.gateway_profile import GatewayProfile

_SHIPPED: Final = Path(__file__).parent / "profiles"


class GatewaySetupError(Exception):
    """A gateway's route cannot be set up; `problems` lists everything that is wrong with it, and no secret."""

    def __init__(self, problems: list[str]) -> None:
        """Keep every problem, so that all are mended in one go."""
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


def gateway_profile_from_toml(text: str, source: str) -> GatewayProfile:
    """The profile that a TOML text describes; `source` names it in errors.

    Raises:
        GatewaySetupError: with every problem.
    """
    try:
        return GatewayProfile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise GatewaySetupError([f"{source}: not TOML: {error}"]) from error
    except ValidationError as error:
        raise GatewaySetupError(
            [
                f"{source}: {'.'.join(str(step) for step in each['loc'])}: {each['msg'].removeprefix('Value error, ')}"
                for each in error.errors()
            ]
        ) from error


def shipped_gateway_profiles() -> tuple[str, ...]:
    """The names of the shipped profiles, sorted."""
    return tuple(sorted(path.stem for path in _SHIPPED.glob("*.toml")))


def gateway_profile(name: str, data_dir: Path) -> GatewayProfile:
    """A shipped profile by its name, or an operator's by its file: what ends in `.toml` lies in the data directory.

    Raises:
        GatewaySetupError: there is none, or it cannot be used.
    """
    if not name.endswith(".toml"):
        if name not in shipped_gateway_profiles():
            known = ", ".join(shipped_gateway_profiles())
            raise GatewaySetupError([f"profile: there is no {name!r}; shipped are {known}; a file ends in .toml"])
        path = _SHIPPED / f"{name}.toml"
    else:
        path = data_dir / name
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GatewaySetupError([f"profile: {path.name} cannot be read"]) from error
    return gateway_profile_from_toml(text, path.name)
