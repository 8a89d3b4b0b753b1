"""The form of a well-behaved CAP 1.1 or 1.2 document, as regular expressions over its text.

What matches is well-formed, satisfies its schema, and its alert holds no markup that could make its text mean
something else: no comments, instructions, CDATA sections or attributes. It is a part of what is valid and nothing
else: values are written here more narrowly than the schema allows wherever that is simpler (`Z` as a
zone, a URI in Chinese), because a document that does not match is only read in the slower way. Tests hold this
against the schemas on real and damaged messages: whatever matches must be valid.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from adapters.cap.vocabulary import CAP_1_1, CAP_1_2

_TEXT = "[^<]*+"
_SPACE = r"[ \t\n]*+"
# A day that its month has (29 February takes the long way), and a zone of at most 14 hours, as XML Schema asks.
_DAY = (
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_TIME = f"[12][0-9]{{3}}-{_DAY}T{_CLOCK}[+-](?:0[0-9]|1[0-3]):[0-5][0-9]"
_LANGUAGE = "[A-Za-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
_URI = r"https?://[A-Za-z0-9.-]++(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*+)?(?:\?[A-Za-z0-9._~/=-]*+)?"
_NUMBER = r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?"
_WHOLE_NUMBER = "[0-9]{1,18}"

_CATEGORY = "Geo|Met|Safety|Security|Rescue|Fire|Health|Env|Transport|Infra|CBRNE|Other"
_RESPONSE = {
    CAP_1_1: "Shelter|Evacuate|Prepare|Execute|Monitor|Assess|None",
    CAP_1_2: "Shelter|Evacuate|Prepare|Execute|Avoid|Monitor|Assess|AllClear|None",
}
_STATUS = "Actual|Exercise|System|Test|Draft"
_SEVERITY = "Extreme|Severe|Moderate|Minor|Unknown"


def _quoted(value: str) -> str:
    return f"""(?:"{value}"|'{value}')"""


_EQUALS = _SPACE + "=" + _SPACE
_DECLARATION = (
    rf"(?:<\?xml[ \t\n]++version{_EQUALS}{_quoted(r'1[.]0')}(?:[ \t\n]++encoding{_EQUALS}{_quoted('[Uu][Tt][Ff]-8')})?"
    rf"(?:[ \t\n]++standalone{_EQUALS}{_quoted('(?:yes|no)')})?{_SPACE}\?>)?"
)
# What stands in front of the root says nothing: how a browser should show the message, who holds its rights.
_PROLOG = rf"{_DECLARATION}{_SPACE}(?:(?:<\?xml-stylesheet[ \t\n][^?>]*+\?>|<!--(?:[^-]|-[^-])*+-->){_SPACE})*+"
# A namespace that no element uses. Names of XML itself may not be bound, and no name twice.
_UNUSED = (
    r"(?:[ \t\n]++xmlns:(?!xml|cap\b)[a-z][a-z0-9]*="
    r'"(?!http://www[.]w3[.]org/(?:XML|2000/xmlns))(?:urn:|https?://)[A-Za-z0-9:./_-]++")?'
)

FORMS = (("", CAP_1_2), ("cap:", CAP_1_2), ("", CAP_1_1), ("cap:", CAP_1_1))
"""Prefix and namespace of the documents that there is a grammar for."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One level: its expression, and whose text or texts each group holds.

    The groups of `single` hold the text of an element, those of `many` the whole run of elements of that name.
    """

    matches: re.Pattern[str]
    single: tuple[tuple[str, int], ...]
    many: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Grammar:
    """A document is `head`, any number of `info`, each with any number of `area` and `info_end`, and `end`."""

    prefix: str
    head: Shape
    info: Shape
    area: Shape
    area_names: tuple[str, ...]
    """Of the groups of `area`, in order."""
    resource: Shape
    info_end: re.Pattern[str]
    end: re.Pattern[str]


@cache
def grammar(prefix: str, namespace: str) -> Grammar:
    """The grammar of one of `FORMS`."""
    write = _Writer(prefix)
    attribute = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    declared = f"[ \\t\\n]++{attribute}{_EQUALS}{_quoted(re.escape(namespace))}{_UNUSED}{_SPACE}"
    return Grammar(
        prefix=prefix,
        head=write.shape(f"{_PROLOG}<{prefix}alert{declared}>", _alert(write)),
        info=write.shape(f"<{prefix}info>", _info(write, namespace)),
        area=write.shape(f"<{prefix}area>", _area(write), f"</{prefix}area>{_SPACE}"),
        area_names=tuple(name.removesuffix("*") for name, _ in _area(write)),
        resource=write.shape(f"<{prefix}resource>", _resource(write, namespace), f"</{prefix}resource>{_SPACE}"),
        info_end=re.compile(f"</{prefix}info>{_SPACE}"),
        end=re.compile(f"</{prefix}alert>{_SPACE}"),
    )


_Part = tuple[str, str]
"""The name of an element, with a star where a run of them is meant, and the expression for it: it has one group."""


class _Writer:
    """Writes expressions for elements of one prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def one(self, name: str, value: str = _TEXT) -> _Part:
        return name, f"{self._open(name)}({value}){self._close(name)}"

    def maybe(self, name: str, value: str) -> _Part:
        return name, f"(?:{self.one(name, value)[1]})?"

    def text(self, *names: str) -> list[_Part]:
        """Texts that may be absent, which is the same as being empty."""
        tags = [(name, f"{self._prefix}{name}") for name in names]
        return [(name, f"(?:<{tag}(?: ?/>|>({_TEXT})</{tag}>){_SPACE})?") for name, tag in tags]

    def many(self, name: str, value: str = _TEXT, *, fewest: int = 0) -> _Part:
        return f"{name}*", f"((?:{self._open(name)}(?:{value}){self._close(name)}){{{fewest},}}+)"

    def pairs(self, name: str) -> _Part:
        pair = "".join(f"{self._open(part)}{_TEXT}{self._close(part)}" for part in ("valueName", "value"))
        return self.many(name, f"{_SPACE}{pair}")

    def blocks(self, name: str, parts: Iterable[_Part]) -> _Part:
        return self.many(name, _SPACE + "".join(_without_groups(expression) for _, expression in parts))

    def shape(self, start: str, parts: Iterable[_Part], end: str = "") -> Shape:
        parts = list(parts)
        names = [name for name, _ in parts]
        return Shape(
            matches=re.compile(f"{start}{_SPACE}{''.join(expression for _, expression in parts)}{end}"),
            single=tuple((name, group) for group, name in enumerate(names) if not name.endswith("*")),
            many=tuple((name.removesuffix("*"), group) for group, name in enumerate(names) if name.endswith("*")),
        )

    def _open(self, name: str) -> str:
        return f"<{self._prefix}{name}>"

    def _close(self, name: str) -> str:
        return f"</{self._prefix}{name}>{_SPACE}"


def _without_groups(expression: str) -> str:
    return re.sub(r"\((?!\?)", "(?:", expression)


def _alert(write: _Writer) -> list[_Part]:
    return [
        write.one("identifier"),
        write.one("sender"),
        write.one("sent", _TIME),
        write.one("status", _STATUS),
        write.one("msgType", "Alert|Update|Cancel|Ack|Error"),
        *write.text("source"),
        write.one("scope", "Public|Restricted|Private"),
        *write.text("restriction", "addresses"),
        write.many("code"),
        *write.text("note"),
        write.maybe("references", _TEXT),
        *write.text("incidents"),
    ]


def _info(write: _Writer, namespace: str) -> list[_Part]:
    return [
        write.maybe("language", _LANGUAGE),
        write.many("category", _CATEGORY, fewest=1),
        write.one("event"),
        write.many("responseType", _RESPONSE[namespace]),
        write.one("urgency", "Immediate|Expected|Future|Past|Unknown"),
        write.one("severity", _SEVERITY),
        write.one("certainty", "Observed|Likely|Possible|Unlikely|Unknown"),
        *write.text("audience"),
        write.pairs("eventCode"),
        *(write.maybe(name, _TIME) for name in ("effective", "onset", "expires")),
        *write.text("senderName", "headline", "description", "instruction"),
        write.maybe("web", _URI),
        *write.text("contact"),
        write.pairs("parameter"),
        write.blocks("resource", _resource(write, namespace)),
    ]


def _resource(write: _Writer, namespace: str) -> list[_Part]:
    return [
        write.one("resourceDesc"),
        write.one("mimeType") if namespace == CAP_1_2 else write.maybe("mimeType", _TEXT),
        write.maybe("size", _WHOLE_NUMBER),
        write.maybe("uri", _URI),
        *write.text("derefUri", "digest"),
    ]


def _area(write: _Writer) -> list[_Part]:
    return [
        write.one("areaDesc"),
        write.many("polygon"),
        write.many("circle"),
        write.pairs("geocode"),
        write.maybe("altitude", _NUMBER),
        write.maybe("ceiling", _NUMBER),
    ]
