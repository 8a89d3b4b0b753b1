"""Does a message satisfy the schema of its CAP version? The schemas in `schema/` are our own."""

import re
import threading
from functools import cache
from importlib import resources
from itertools import islice

from lxml import etree

from adapters.cap.findings import Found
from adapters.cap.vocabulary import CAP_1_0, CAP_1_1, CAP_1_2
from domain.findings import Code

MOST_DEFECTS = 20

_FILES = {CAP_1_0: "CAP-v1.0.xsd", CAP_1_1: "CAP-v1.1.xsd", CAP_1_2: "CAP-v1.2.xsd"}
_NAMESPACE = re.compile(r"\{[^{}]*\}")
_LONGEST_SENTENCE = 300

# A schema keeps the defects of its last document, so that two threads must not use it at once.
_one_at_a_time = threading.Lock()


@cache
def schema_of(namespace: str) -> etree.XMLSchema:
    """The compiled schema for one of `NAMESPACES`."""
    file = resources.files("adapters.cap") / "schema" / _FILES[namespace]
    return etree.XMLSchema(etree.fromstring(file.read_bytes()))


def validate(alert: etree._Element, namespace: str, found: Found) -> bool:
    """Whether the alert satisfies its schema; what does not is recorded, at most `MOST_DEFECTS` of it."""
    schema = schema_of(namespace)
    with _one_at_a_time:
        if schema(alert):
            return True
        defects = [(entry.path, entry.message, entry.line) for entry in islice(schema.error_log, MOST_DEFECTS)]
    for path, message, line in defects:
        sentence = _NAMESPACE.sub("", message)[:_LONGEST_SENTENCE]
        found.add(found.checks.schema_defect, Code.SCHEMA, _element(alert, path), f"{sentence} (line {line})")
    return False


def _element(alert: etree._Element, path: str | None) -> etree._Element:
    """The element that the validator means; the alert itself where its path cannot be followed."""
    steps = (path or "").split("/")[2:]
    here = alert
    for step in steps:
        name, _, position = step.rstrip("]").partition("[")
        local = name.rpartition(":")[2]
        namesakes = [
            child
            for child in here
            if local == "*" or (isinstance(child.tag, str) and child.tag.rpartition("}")[2] == local)
        ]
        index = int(position) - 1 if position.isdigit() else 0
        if index >= len(namesakes):
            return here
        here = namesakes[index]
    return here
