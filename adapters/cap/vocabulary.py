"""CAP's names: its namespaces, its elements by level, and what each becomes in the domain."""

from dataclasses import dataclass
from functools import cache

from lxml import etree

CAP_1_0 = "http://www.incident.com/cap/1.0"
CAP_1_1 = "urn:oasis:names:tc:emergency:cap:1.1"
CAP_1_2 = "urn:oasis:names:tc:emergency:cap:1.2"
NAMESPACES = (CAP_1_2, CAP_1_1, CAP_1_0)
ALERT_TAGS = tuple(f"{{{namespace}}}alert" for namespace in NAMESPACES)

XML_SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
SIGNATURE_TAG = f"{{{XML_SIGNATURE}}}Signature"

DEFAULT_LANGUAGE = "en-US"
"""CAP 1.2, section 3.2.2: an info block without a language is in en-US."""

MOST_CHILDREN = 5_000
"""The validator works out the path of every defect by counting siblings, which takes long where there are many."""

_ALERT_SINGLE = (
    *("identifier", "sender", "sent", "status", "msgType", "source", "scope"),
    *("restriction", "addresses", "note", "references", "incidents"),
)
_INFO_SINGLE = (
    *("language", "event", "urgency", "severity", "certainty", "audience", "effective", "onset", "expires"),
    *("senderName", "headline", "description", "instruction", "web", "contact"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The children that one element may have, by full tag: those that come once, and those that repeat."""

    single: dict[str, str]
    many: dict[str, str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The plans of one CAP version."""

    blocks: tuple[str, ...]
    """The tags of the elements that hold lists of others."""
    alert: Plan
    info: Plan
    area: Plan
    resource: Plan
    pair: Plan
    parameter_texts: etree.XPath
    """Of an info block: the texts of all names and values of its parameters, in order."""
    geocode_texts: etree.XPath
    """Of an info block: the same of the geocodes of its areas."""


@cache
def vocabulary(namespace: str) -> Vocabulary:
    """The plans for one of `NAMESPACES`."""

    def tags(*names: str) -> dict[str, str]:
        return {f"{{{namespace}}}{name}": name for name in names}

    def texts(path: str) -> etree.XPath:
        return etree.XPath(path, namespaces={"cap": namespace}, smart_strings=False)

    return Vocabulary(
        blocks=tuple(tags("alert", "info", "area")),
        alert=Plan(tags(*_ALERT_SINGLE), tags("code", "info")),
        info=Plan(
            tags(*_INFO_SINGLE),
            tags("category", "responseType", "eventCode", "parameter", "resource", "area"),
        ),
        area=Plan(tags("areaDesc", "altitude", "ceiling"), tags("polygon", "circle", "geocode")),
        resource=Plan(tags("resourceDesc", "mimeType", "uri"), {}),
        pair=Plan(tags("valueName", "value"), {}),
        parameter_texts=texts("cap:parameter/*/text()"),
        geocode_texts=texts("cap:area/cap:geocode/*/text()"),
    )
