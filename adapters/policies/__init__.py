"""The policies and the hazard catalogue that come with the outlet.

A policy is one TOML file in this folder; `load` takes its name, or the path of an operator's own file. What belongs
here: data, and finding it. What a policy means is `domain.policy`'s.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from adapters.policies.catalogue import catalogues
from domain.policy import Policy, PolicyError, parse_policy

__all__ = ["catalogues", "load", "shipped_policies"]

SUFFIX = ".toml"


def shipped_policies() -> Mapping[str, str]:
    """The TOML text of every shipped policy by name, names in order."""
    files = [file for file in resources.files(__package__).iterdir() if file.name.endswith(SUFFIX)]
    texts = {file.name.removesuffix(SUFFIX): file.read_text(encoding="utf-8") for file in files}
    return MappingProxyType(dict(sorted(texts.items())))


def load(name_or_path: str) -> tuple[Policy, str]:
    """The policy of this name or in this file, and its text. A shipped name wins over a file of the same name.

    Raises:
        PolicyError: there is none such, or with everything that is wrong with it.
    """
    shipped = shipped_policies()
    text = shipped.get(name_or_path)
    if text is None:
        text = _text_of(Path(name_or_path), tuple(shipped))
    return parse_policy(text, catalogues()), text


def _text_of(path: Path, shipped: tuple[str, ...]) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError([f"{path}: {error.strerror}; shipped policies are {', '.join(shipped)}"]) from error
    except UnicodeDecodeError as error:
        raise PolicyError([f"{path}: not UTF-8: {error.reason} at byte {error.start}"]) from error
