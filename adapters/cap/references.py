"""CAP's lists in one element: references (`sender,identifier,sent` triples) and incidents."""

import re
from datetime import datetime

from adapters.cap.blocks import Part
from adapters.cap.findings import Found
from adapters.cap.times import plain_moment
from adapters.cap.unchecked import reference
from domain.findings import Code
from domain.messages import Reference

_PARTS = 3
_QUOTED = re.compile(r'"([^"]*)"|([^\s"]+)')


def references(block: Part, found: Found) -> tuple[Reference, ...]:
    """The earlier messages that this one names.

    CAP separates triples by spaces and forbids commas in identifiers; senders also separate triples by commas, put
    spaces behind commas, and use commas in identifiers. What cannot be told apart is noted and kept as an
    identifier, so that nothing a sender named is lost.
    """
    text = ",".join(part.strip() for part in block.texts["references"].split(","))
    read: list[Reference] = []
    for token in text.split():
        parts = [part for part in token.split(",") if part]
        if len(parts) > _PARTS and len(parts) % _PARTS == 0 and plain_moment(parts[2]):
            starts = range(0, len(parts), _PARTS)
            read.extend(_reference(parts[start : start + _PARTS], block, found) for start in starts)
        elif parts:
            read.append(_reference(parts, block, found))
    return tuple(read)


def incidents(block: Part) -> tuple[str, ...]:
    """Names of incidents: separated by spaces, in double quotes where a name has spaces."""
    return tuple(quoted or bare for quoted, bare in _QUOTED.findall(block.texts["incidents"]) if quoted or bare)


def _reference(parts: list[str], block: Part, found: Found) -> Reference:
    sent: datetime | None = plain_moment(parts[-1]) if len(parts) >= _PARTS else None
    if len(parts) == _PARTS and sent is not None:
        return reference({"sender": parts[0], "identifier": parts[1], "sent": sent})
    whole = ",".join(parts)
    sentence = f"“{whole[:100]}” is not of the form sender,identifier,sent."
    found.add(found.checks.reference_form, Code.REFERENCES, block.where("references"), sentence)
    if len(parts) == 1:
        return reference({"identifier": parts[0]})
    last = len(parts) - 1 if len(parts) >= _PARTS else len(parts)
    return reference({"sender": parts[0], "identifier": ",".join(parts[1:last]), "sent": sent})
