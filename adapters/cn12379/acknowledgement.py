"""The answer to a 12379 message: `/msg/data/rows/{status,error_code,note}`, status 0 accepted, 1 refused.

No public source lists the numbers that the national centre puts into `error_code`; ours holds our stable
`Code`.
"""

import re
from collections.abc import Sequence

from lxml import etree

from domain.findings import Finding

ACCEPTED = "0"
REFUSED = "1"

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def acknowledge(findings: Sequence[Finding]) -> bytes:
    """The acknowledgement of a message with these findings: refused when any of them refuses it.

    `error_code` is the first refusal's code and empty for an accepted message; `note` holds a line for each
    finding, notes included, since a sender can only mend what is told.
    """
    refusals = [found for found in findings if found.refuses]
    root = etree.Element("msg")
    rows = etree.SubElement(etree.SubElement(root, "data"), "rows")
    _add(rows, "status", REFUSED if refusals else ACCEPTED)
    _add(rows, "error_code", refusals[0].code.value if refusals else "")
    _add(rows, "note", "\n".join(f"{found.path}: {found.sentence}" for found in findings))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _add(parent: etree._Element, name: str, text: str) -> None:
    # A finding may quote what a sender wrote, and in JSON a sender can write what XML cannot hold.
    etree.SubElement(parent, name).text = _NOT_XML.sub("\ufffd", text)
