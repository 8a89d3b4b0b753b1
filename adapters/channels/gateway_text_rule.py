"""How much of a letter's words a gateway takes, as a profile or a route describes it."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from domain.values import Value

MOST_PIECES: Final = 9

SettingName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""The name of a value of a profile's own."""


class TextRule(Value):
    """What of a letter's words goes out, and how much.

    `pieces` cuts the text for templates whose parameters are short, into `{text_1}`, `{text_2}`, …, each of at most
    `longest_piece` characters. A text that is too long is replaced by its short form; without one it is refused.
    """

    source: Literal["sms", "body", "short", "subject"] = "sms"
    without_signature: bool = False
    one_line: bool = False
    longest: Annotated[int, Field(ge=1)] | None = None
    pieces: Annotated[int, Field(ge=1, le=MOST_PIECES)] = 1
    longest_piece: Annotated[int, Field(ge=1)] | None = None
    most_parts: Annotated[int, Field(ge=1, le=255)] | None = None

    @model_validator(mode="after")
    def _pieces_have_a_length(self) -> Self:
        if self.pieces > 1 and self.longest_piece is None:
            raise ValueError("`pieces` need a `longest_piece`")
        return self

    @property
    def most_characters(self) -> int | None:
        """How many characters may go out; None for as many as there are."""
        cut = None if self.longest_piece is None else self.pieces * self.longest_piece
        known = [limit for limit in (cut, self.longest) if limit is not None]
        return min(known) if known else None
