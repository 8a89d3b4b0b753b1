"""One `info` block of our CAP: a section in force, or one that was lifted, in one language."""

from collections.abc import Sequence

from adapters.cap.writer_words import (
    areas_by_level,
    hazard_of,
    is_plain,
    issuer_names,
    lifted_sentences,
    marked,
    most_certain,
    most_urgent,
    outlet_name,
    written_end,
    written_ring,
    written_time,
    xml_escaped,
    xml_text,
)
from domain.events import WarningReleased
from domain.policy import Policy
from domain.ports import Gazetteer
from domain.sections import AreaLevel, Conflict, Section
from domain.texts import headline_in, instructions, relayed_text
from domain.values import Language

INDENT = "  "

CATEGORIES = frozenset(
    ("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other")
)


class Block:
    """An element in the making; `replaced` counts, for each child, the characters that XML cannot hold.

    Written as text at once: a tree of some eighty elements for each release, made only to be written, takes several
    times as long. A test holds what comes of it against lxml, byte for byte.
    """

    __slots__ = ("_indent", "_name", "_parts", "replaced")

    def __init__(self, name: str, *, depth: int = 0, replaced: dict[str, int] | None = None) -> None:
        self._name = name
        self._indent = INDENT * (depth + 1)
        self._parts: list[str | Block] = []
        self.replaced: dict[str, int] = {} if replaced is None else replaced

    def add(self, name: str, text: str) -> None:
        """Append a child with this text; none for an empty text, since CAP's optional elements are left out."""
        if text:
            written = text if is_plain(text) else self._escaped(name, text)
            self._parts.append(f"{self._indent}<{name}>{written}</{name}>\n")

    def add_pair(self, name: str, value_name: str, value: str) -> None:
        """Append a `valueName` / `value` pair."""
        pair = self.block(name)
        pair.add("valueName", value_name)
        pair.add("value", value)

    def block(self, name: str) -> "Block":
        """Append a child that has children; what is replaced in them counts here."""
        return self._appended(name, self.replaced)

    def fresh_block(self, name: str) -> "Block":
        """Append a child that has children, which counts for itself what is replaced in it."""
        return self._appended(name, {})

    def _appended(self, name: str, replaced: dict[str, int]) -> "Block":
        child = Block(name, depth=len(self._indent) // len(INDENT), replaced=replaced)
        self._parts.append(child)
        return child

    def _escaped(self, name: str, text: str) -> str:
        written, replaced = xml_text(text)
        if replaced:
            self.replaced[name] = self.replaced.get(name, 0) + replaced
        return xml_escaped(written)

    def written(self, attributes: str = "") -> str:
        """The element with all that is in it, one line each, indented."""
        outer = self._indent[: -len(INDENT)]
        if not self._parts:
            return f"{outer}<{self._name}{attributes}/>\n"
        inner = "".join([part if isinstance(part, str) else part.written() for part in self._parts])
        return f"{outer}<{self._name}{attributes}>\n{inner}{outer}</{self._name}>\n"


class InfoWriter:
    """Writes the `info` blocks of one release."""

    def __init__(self, policy: Policy, gazetteer: Gazetteer, release: WarningReleased) -> None:
        self._policy = policy
        self._gazetteer = gazetteer
        self._release = release

    def in_force(self, info: Block, section: Section, language: Language) -> None:
        """Fill the block of a section in force; `description` is the agencies' own words, byte for byte."""
        policy = self._policy
        self._head(info, section, language, urgency=most_urgent(section))
        info.add("effective", written_time(section.effective, policy.zone))
        if section.expires is not None:
            info.add("expires", written_end(section.expires, policy.zone))
        info.add("senderName", issuer_names(policy, section, language))
        info.add("headline", self._marked(language, headline_in(section, language)))
        info.add("description", self._marked(language, relayed_text(section, language)))
        info.add("instruction", self._marked(language, "\n".join(instructions(section, language))))
        info.add("web", policy.outlet.web)
        info.add_pair("parameter", "level", section.level.value)
        self._parameters(info, section)
        for area in section.areas:
            info.add_pair("parameter", "area-level", f"{area.code}={area.level.value}")
        self._areas(info, section, language)

    def lifted(self, info: Block, section: Section, language: Language) -> None:
        """Fill the block of a lifted section: AllClear, with the level and areas that it had.

        Its parameters are named `previous-…`, so that no reader takes them for levels in force.
        """
        policy = self._policy
        sentence = lifted_sentences(policy, self._release, language).get(section.hazard, "")
        self._head(info, section, language, urgency="Past", response_type="AllClear")
        info.add("effective", written_time(self._release.at, policy.zone))
        info.add("senderName", outlet_name(policy, language))
        info.add("headline", self._marked(language, sentence))
        info.add("description", self._marked(language, sentence))
        info.add("web", policy.outlet.web)
        info.add_pair("parameter", "previous-level", section.level.value)
        self._parameters(info, section)
        for area in section.areas:
            info.add_pair("parameter", "previous-area-level", f"{area.code}={area.level.value}")
        self._areas(info, section, language)

    def _marked(self, language: Language, text: str) -> str:
        """The text, within the marks of a drill where it is one; an empty text stays empty."""
        return marked(self._policy, self._release.mode, language, text) if text else ""

    def _head(
        self, info: Block, section: Section, language: Language, *, urgency: str, response_type: str = ""
    ) -> None:
        hazard = hazard_of(self._policy, section.hazard)
        info.add("language", language)
        info.add("category", hazard.category if hazard.category in CATEGORIES else "Other")
        info.add("event", hazard.name(language))
        info.add("responseType", response_type)
        info.add("urgency", urgency)
        info.add("severity", section.level.cap_severity)
        info.add("certainty", most_certain(section))
        info.add_pair("eventCode", "hazard", section.hazard)

    def _parameters(self, info: Block, section: Section) -> None:
        for contributor in section.contributors:
            value = f"{contributor.agency};{contributor.level.value};{contributor.message}"
            info.add_pair("parameter", "contributor", value)
        if section.conflict is not None and section.conflict.is_open:
            info.add_pair("parameter", "conflict", _written_conflict(section.conflict))
        info.add_pair("parameter", "warning-id", self._release.warning_id)
        info.add_pair("parameter", "revision", str(self._release.revision))

    def _areas(self, info: Block, section: Section, language: Language) -> None:
        """One `area` for each level, the highest first.

        What was replaced in the block so far is said before them, because CAP's order puts parameters there.
        """
        groups = areas_by_level(section)
        separator = self._policy.texts[language].separator
        names = [separator.join(area.name or area.code for area in areas) for _, areas in groups]
        replaced = {**info.replaced, "areaDesc": sum(xml_text(name)[1] for name in names)}
        for name, count in ((name, count) for name, count in replaced.items() if count):
            info.add_pair("parameter", "replaced-characters", f"{name}={count}")
        for description, (_, areas) in zip(names, groups, strict=True):
            self._area(info.block("area"), description, areas)

    def _area(self, block: Block, description: str, areas: Sequence[AreaLevel]) -> None:
        block.add("areaDesc", description)
        for area in areas:
            for ring in self._gazetteer.boundary(area.code):
                block.add("polygon", written_ring(ring))
        codes = [pair for area in areas for pair in self._gazetteer.geocodes(area.code)]
        for system, code in dict.fromkeys(codes):
            block.add_pair("geocode", system, code)


def _written_conflict(conflict: Conflict) -> str:
    """`areas=330604,330682;meteorology=blue;water=red`: where agencies are far apart, and what each says."""
    levels = [f"{agency}={level.value}" for agency, level in conflict.levels.items()]
    return ";".join([f"areas={','.join(conflict.areas)}", *levels])
