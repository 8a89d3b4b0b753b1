"""The one error of building a gazetteer: it tells everything that is wrong with the data at once."""

from collections.abc import Sequence


class GazetteerError(Exception):
    """The data of a gazetteer cannot be used; `problems` holds a sentence for each reason, at least one."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


def refuse_if_any(problems: Sequence[str]) -> None:
    """Go on only when there are no problems.

    Raises:
        GazetteerError: with all of them.
    """
    if problems:
        raise GazetteerError(problems)
