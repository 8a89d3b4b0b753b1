"""What a release says of one section, in the words and values that every format we write shares.

Nothing is composed here that the release has not frozen: texts come from the release, its sections and the agencies'
own words. The layout of CAP is `writer.py` and `writer_info.py`, that of 12379 is `adapters/cn12379/writer.py`.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta, tzinfo
from itertools import groupby

from domain.events import WarningReleased
from domain.hazards import HazardDefinition
from domain.levels import Level
from domain.messages import Mode
from domain.policy import Policy
from domain.sections import AreaLevel, ChangeKind, Section
from domain.values import Language, Moment

REPLACEMENT = "\ufffd"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_PLAIN = re.compile("[^\t\n\u0020-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_URGENCIES = ("Immediate", "Expected", "Future", "Past")
_CERTAINTIES = ("Observed", "Likely", "Possible", "Unlikely")


def xml_text(text: str) -> tuple[str, int]:
    """The text with every character that XML 1.0 cannot hold replaced by U+FFFD, and how many there were.

    Such characters reach us in JSON lists only; refusing the warning over one of them would leave people untold.
    """
    return _NOT_XML.subn(REPLACEMENT, text)


def is_plain(text: str) -> bool:
    """Whether XML can hold the text as it is, with nothing replaced or escaped; one look, for most of all texts."""
    return _NOT_PLAIN.search(text) is None


def xml_escaped(text: str) -> str:
    """The text as it stands between two tags; a carriage return is written so that no reader makes it a line end."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def written_time(moment: Moment, zone: tzinfo, separator: str = "T") -> str:
    """The moment in this zone with its offset, fractions of a second dropped; UTC is written +00:00."""
    return moment.astimezone(zone).replace(microsecond=0).isoformat(separator)


def written_end(moment: Moment, zone: tzinfo, separator: str = "T") -> str:
    """As `written_time`, but a fraction counts as a whole second: no warning ends before its time."""
    return written_time(moment + timedelta(seconds=1) if moment.microsecond else moment, zone, separator)


def written_ring(ring: Iterable[tuple[float, float]]) -> str:
    """A ring as `latitude,longitude latitude,longitude …`, to six decimals (0.1 m)."""
    return " ".join(f"{latitude:.6f},{longitude:.6f}" for latitude, longitude in ring)


def hazard_of(policy: Policy, code: str) -> HazardDefinition:
    """The hazard's definition; one that names nothing but the code where the policy has dropped it since."""
    return policy.hazard_index.get(code) or HazardDefinition(code=code, names={}, category="Other")


def outlet_name(policy: Policy, language: Language) -> str:
    """The outlet's name in this language, else in the first one given."""
    names = policy.outlet.names
    return names.get(language) or next(iter(names.values()), policy.outlet.id)


def issuer_names(policy: Policy, section: Section, language: Language) -> str:
    """The full names of all who issue the section, in the policy's order."""
    agencies = [(id_, policy.agency(id_)) for id_ in section.issuers]
    return policy.texts[language].separator.join(agency.name(language) if agency else id_ for id_, agency in agencies)


def marked(policy: Policy, mode: Mode, language: Language, text: str) -> str:
    """The text, in a drill between two drill marks."""
    mark = policy.texts[language].drill_mark if mode is Mode.DRILL else ""
    return f"{mark}{text}{mark}"


def most_urgent(section: Section) -> str:
    """The most urgent that any contributor says; Unknown when none says any of CAP's words."""
    return _first_said(_URGENCIES, {contributor.urgency for contributor in section.contributors})


def most_certain(section: Section) -> str:
    """The most certain that any contributor says; Unknown when none says any of CAP's words."""
    return _first_said(_CERTAINTIES, {contributor.certainty for contributor in section.contributors})


def _first_said(order: Sequence[str], said: set[str]) -> str:
    return next((word for word in order if word in said), "Unknown")


def areas_by_level(section: Section) -> list[tuple[Level, tuple[AreaLevel, ...]]]:
    """The section's areas for each of their levels, the highest first, by code within a level."""
    ordered = sorted(section.areas, key=lambda area: (-area.level.rank, area.code))
    return [(level, tuple(areas)) for level, areas in groupby(ordered, key=lambda area: area.level)]


def lifted_sentences(policy: Policy, release: WarningReleased, language: Language) -> dict[str, str]:
    """For each hazard that the release lifts, the released sentence that says so, without drill marks.

    The sentences are the last lines of the release's own description, one for each lifted hazard in the order of
    the changes; they are taken from there because what was released never changes, whatever the templates say now.
    A release from before the outlet had this language says it in another.
    """
    lifted = [change.hazard for change in release.changes if change.kind is ChangeKind.LIFTED]
    text = next((text for text in release.texts if text.language == language), next(iter(release.texts), None))
    if text is None or not lifted:
        return {}
    lines = _unmarked(policy, release.mode, text.language, text.description).split("\n")
    if len(lines) < len(lifted):
        return dict.fromkeys(lifted, _unmarked(policy, release.mode, text.language, text.headline))
    return dict(zip(lifted, lines[-len(lifted) :], strict=True))


def _unmarked(policy: Policy, mode: Mode, language: Language, text: str) -> str:
    words = policy.texts.get(language)
    mark = words.drill_mark if words and mode is Mode.DRILL else ""
    return text.removeprefix(mark).removesuffix(mark)
