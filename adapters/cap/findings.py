"""The list of what was found in one message, with the verdicts applied."""

from lxml import etree

from adapters.cap.checks import CapChecks, Verdict
from adapters.xml.safe import path_of
from domain.findings import Code, Finding

MOST_FINDINGS = 100
"""Of notes and of refusals each: more add nothing that a person could act on, and paths cost time to work out."""

Place = etree._Element | str  # noqa: SLF001  # lxml has no public name for an element's type
"""Where something was found: an element, or its path where there is no tree."""


def path_at(where: Place) -> str:
    """The path of a place, as `/alert/info[1]/expires`."""
    return where if isinstance(where, str) else path_of(where)


class Found:
    """Collects findings; asked at the end whether any of them refuses the message."""

    def __init__(self, checks: CapChecks, *, size: int) -> None:
        """Keep the checks, and whether a document of `size` bytes can hold a text that is longer than they allow."""
        self.checks = checks
        self.may_hold_long_texts = size > checks.text_limit_characters
        self.findings: list[Finding] = []
        self._kept = {True: 0, False: 0}

    @property
    def refused(self) -> bool:
        """Whether any finding refuses the message."""
        return self._kept[True] > 0

    def add(self, verdict: Verdict, code: Code, where: Place, sentence: str) -> None:
        """Record a finding at an element, unless its check is switched off."""
        refuses = verdict is Verdict.REFUSE
        if verdict is not Verdict.IGNORE and self._kept[refuses] < MOST_FINDINGS:
            self.record(Finding(code=code, path=path_at(where), sentence=sentence, refuses=refuses))

    def refuse(self, code: Code, where: Place, sentence: str) -> None:
        """Record a finding that always refuses."""
        self.add(Verdict.REFUSE, code, where, sentence)

    def note(self, code: Code, where: Place, sentence: str) -> None:
        """Record a finding that never refuses."""
        self.add(Verdict.NOTE, code, where, sentence)

    def record(self, finding: Finding) -> None:
        """Keep a finding that is complete, unless there are too many of its kind."""
        if self._kept[finding.refuses] < MOST_FINDINGS:
            self._kept[finding.refuses] += 1
            self.findings.append(finding)
