# ruff: noqa: INP001 -- a program of the Dockerfile, not a package
"""Print the installed distributions that one distribution does not need, with the extras given: for the Dockerfile.

Usage: python unneeded.py DISTRIBUTION [EXTRA ...]
"""

import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution, distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ALWAYS = frozenset({"pip"})
"""What removes the others."""


def needed(name: str, extras: Iterable[str]) -> set[str]:
    """The canonical names of a distribution and of everything that it requires here, in turn."""
    found: set[str] = set()
    open_ends = [(name, frozenset(extras))]
    seen = set(open_ends)
    while open_ends:
        current, wanted = open_ends.pop()
        try:
            lines = distribution(current).requires or []
        except PackageNotFoundError:
            continue  # an optional part that the lock leaves out on this machine
        found.add(canonicalize_name(current))
        for requirement in map(Requirement, lines):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in wanted | {""}):
                end = (canonicalize_name(requirement.name), frozenset(requirement.extras))
                if end not in seen:
                    seen.add(end)
                    open_ends.append(end)
    return found


def main() -> None:
    """One name a line."""
    kept = needed(sys.argv[1], sys.argv[2:]) | ALWAYS
    installed = {canonicalize_name(each.metadata["Name"]) for each in distributions()}
    sys.stdout.writelines(f"{name}\n" for name in sorted(installed - kept))


if __name__ == "__main__":
    main()
