"""What may be around an alert: EDXL distributions and Atom feeds; everything else is told what it is.

An envelope that says drill around a message that says live, or the reverse, is refused: which of them is meant
cannot be known, and a drill must never reach the public.
"""

from collections.abc import Sequence

from lxml import etree

from adapters.cap.findings import Found
from adapters.cap.vocabulary import ALERT_TAGS
from adapters.xml.safe import local_name, namespace_of
from domain.findings import Code

_EDXL = ("urn:oasis:names:tc:emergency:EDXL:DE:1.0", "urn:oasis:names:tc:emergency:EDXL:DE:2.0")
_ATOM = "http://www.w3.org/2005/Atom"
_LIVE = "Actual"


def alerts_within(root: etree._Element, found: Found) -> Sequence[etree._Element]:
    """The alerts in a document in their order; none, and a refusal, when it is not a form that we read."""
    if root.tag in ALERT_TAGS:
        return (root,)
    alerts = [alert for alert in root.iter(*ALERT_TAGS) if not any(True for _ in alert.iterancestors(*ALERT_TAGS))]
    namespace = namespace_of(root)
    if namespace in _EDXL:
        return _of_distribution(root, namespace, alerts, found)
    if namespace == _ATOM:
        return _of_feed(root, alerts, found)
    if alerts:
        sentence = f"The document is a “{local_name(root)[:40]}” around CAP alerts; send the alerts themselves."
        found.refuse(Code.ENVELOPE, root, sentence)
    elif local_name(root) == "alert":
        sentence = f"The alert's namespace “{namespace[:80]}” is none of CAP 1.0, 1.1 and 1.2."
        found.refuse(Code.NAMESPACE, root, sentence)
    else:
        found.refuse(Code.UNKNOWN_FORMAT, root, f"“{local_name(root)[:40]}” is no CAP alert.")
    return ()


def _of_distribution(
    root: etree._Element, namespace: str, alerts: Sequence[etree._Element], found: Found
) -> Sequence[etree._Element]:
    if not alerts:
        found.refuse(Code.ENVELOPE, root, "The EDXL distribution holds no CAP alert as XML.")
        return ()
    status = next(root.iter(f"{{{namespace}}}distributionStatus"), None)
    said = (status.text or "").strip() if status is not None else ""
    for alert in alerts:
        inner = (alert.findtext(f"{{{namespace_of(alert)}}}status") or "").strip()
        if said and inner and (said == _LIVE) != (inner == _LIVE):
            sentence = f"The distribution says {said[:20]} and the alert in it says {inner[:20]}."
            found.refuse(Code.ENVELOPE, alert, sentence)
    for block in root.iter(f"{{{namespace}}}contentObject"):
        if next(block.iter(*ALERT_TAGS), None) is None:
            found.note(Code.ENVELOPE, block, "This part of the EDXL distribution holds no CAP alert as XML.")
    return alerts


def _of_feed(root: etree._Element, alerts: Sequence[etree._Element], found: Found) -> Sequence[etree._Element]:
    """A feed is read when each of its entries holds one alert; a list of links and summaries is not a message."""
    entries = [root] if local_name(root) == "entry" else root.findall(f"{{{_ATOM}}}entry")
    contents = [entry.findall(f"{{{_ATOM}}}content") for entry in entries]
    inside = [alert for content in contents if len(content) == 1 for alert in content[0].iterchildren(*ALERT_TAGS)]
    if entries and len(inside) == len(entries) == len(alerts) and inside == list(alerts):
        return alerts
    found.refuse(Code.ENVELOPE, root, "The Atom feed does not hold one whole CAP alert in each entry; send the alerts.")
    return ()
