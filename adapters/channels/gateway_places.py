"""Places such as `{text}` in a gateway's profile: found, checked and filled. Pure.

What is put into a place is never read for places again, and a place is a name and nothing more: no attribute, no index
and no format can be written behind it.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from pydantic import JsonValue

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}|[{}]")


class PlaceError(ValueError):
    """A text with places that cannot be read: a brace stands alone, or a place has no such name."""


@lru_cache(512)
def _pieces(text: str) -> tuple[tuple[bool, str], ...]:
    """The text in pieces: whether it is a place, and its name or words."""
    found: list[tuple[bool, str]] = []
    at = 0
    for token in _TOKEN.finditer(text):
        if token.start() > at:
            found.append((False, text[at : token.start()]))
        if token[1]:
            found.append((True, token[1]))
        elif len(token[0]) > 1:
            found.append((False, token[0][0]))
        else:
            raise PlaceError(
                f"{text!r}: a brace stands alone; a place is {{name}}, and a brace itself is written twice"
            )
        at = token.end()
    if at < len(text):
        found.append((False, text[at:]))
    return tuple(found)


def places_in(tree: JsonValue) -> frozenset[str]:
    """The names of all places in a text, or in the texts of lists and tables however deep.

    Raises:
        PlaceError: a brace stands alone.
    """
    return frozenset(name for text in _texts(tree) for is_place, name in _pieces(text) if is_place)


def check_places(tree: JsonValue, known: frozenset[str]) -> None:
    """Return when every place is known.

    Raises:
        PlaceError: naming those that are not.
    """
    unknown = places_in(tree) - known
    if unknown:
        named = ", ".join(f"{{{name}}}" for name in sorted(unknown))
        raise PlaceError(f"{named}: there is no such place; there are {', '.join(sorted(known))}")


def filled_text(text: str, values: Mapping[str, JsonValue]) -> str:
    """The text with its places filled; what has no value is filled with nothing."""
    return "".join(_as_text(values[word]) if is_place else word for is_place, word in _pieces(text))


def filled(tree: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue:
    """The same tree with its places filled; a text that is one place and no more becomes the value as it is."""
    match tree:
        case str():
            pieces = _pieces(tree)
            if len(pieces) == 1 and pieces[0][0]:
                return values[pieces[0][1]]
            return filled_text(tree, values)
        case dict():
            return {name: filled(value, values) for name, value in tree.items()}
        case list():
            return [filled(value, values) for value in tree]
        case _:
            return tree


def _texts(tree: JsonValue) -> Iterator[str]:
    match tree:
        case str():
            yield tree
        case dict():
            for value in tree.values():
                yield from _texts(value)
        case list():
            for value in tree:
                yield from _texts(value)
        case _:
            return


def _as_text(value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return ",".join(_as_text(one) for one in value)
        case _:
            return str(value)
