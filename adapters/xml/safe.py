"""Bytes from a stranger become an element tree here, or are refused; nothing outside the bytes is ever touched.

What belongs here: limits, encodings, document types and well-formedness. What a document means belongs to the
adapter of its format. The order matters: size, encoding, document type and counts are looked at before a parser
is, since each costs one pass over the bytes and a tree costs far more.
"""

import re
from dataclasses import dataclass

from lxml import etree

from adapters.xml.encodings import as_utf8
from domain.findings import Code, Finding, RefusedMessageError, refusal

_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_LOCATION_HINTS = (f"{{{_SCHEMA_INSTANCE}}}schemaLocation", f"{{{_SCHEMA_INSTANCE}}}noNamespaceSchemaLocation")

_TOO_DEEP = etree.ErrorTypes.ERR_RESOURCE_LIMIT
_NOT_UTF8 = etree.ErrorTypes.ERR_INVALID_ENCODING
_LONGEST_DECLARATION = 200
_DOCTYPE = b"<!DOCTYPE"
_LONGEST_PROLOG = 64 * 1024

_SPACE = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """How much a document may hold. Nesting is limited by the parser itself, to 256 levels.

    `max_elements` and `max_attributes` are compared with what the bytes could hold at most (half the number of
    `<`, and the number of `=`), so that no tree has to be built to count.
    """

    max_bytes: int = 8 * 1024 * 1024
    max_elements: int = 50_000
    max_attributes: int = 15_000
    max_namespaces: int = 10_000
    max_references: int = 200_000


DEFAULT_LIMITS = XmlLimits()


def parse(content: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> etree._Element:
    """The root element, without comments and processing instructions: text on both sides of them is one text.

    Hints at the whereabouts of schemas (`xsi:schemaLocation`) are removed, because validation would follow them.

    Raises:
        RefusedMessageError: EMPTY, TOO_LARGE, NOT_UTF8, DTD, TOO_MANY_NODES, TOO_DEEP or NOT_XML.
    """
    return parse_checked(checked(content, limits))[0]


def parse_checked(document: bytes) -> tuple[etree._Element, bool]:
    """As `parse`, of what `checked` has passed; and whether every text is one node of the tree for certain.

    Raises:
        RefusedMessageError: NOT_UTF8, TOO_DEEP or NOT_XML.
    """
    may_be_split = _may_split_text(document)
    root = _built(document, _PARSER if may_be_split else _COMPACT_PARSER)
    if b"chemaLocation" in document:
        _drop_location_hints(root)
    return root, not may_be_split


def parse_whole(content: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> etree._Element:
    """As `parse`, but with comments, processing instructions and hints kept: what a signature was made over.

    Never validate this against a schema and never read a message from it.
    """
    return _built(checked(content, limits), _WHOLE_PARSER)


def checked(content: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> bytes:
    """The document in UTF-8, once it is within the limits and has no document type.

    Raises:
        RefusedMessageError: EMPTY, TOO_LARGE, NOT_UTF8, DTD or TOO_MANY_NODES.
    """
    if len(content) > limits.max_bytes:
        raise _refused(Code.TOO_LARGE, f"The document has {len(content)} bytes; the limit is {limits.max_bytes}.")
    if not content or (len(content) <= _LONGEST_PROLOG and content.isspace()):
        raise _refused(Code.EMPTY, "The document is empty.")
    document = as_utf8(content)
    _check_prolog(document)
    _count(document, limits)
    return document


def path_of(element: etree._Element) -> str:
    """Where an element is, as `/alert/info[1]/expires`: names without namespaces.

    An element below the root that has children carries its position among its namesakes, and so does one that
    has namesakes.
    """
    steps: list[str] = []
    here: etree._Element | None = element
    while here is not None:
        above = here.getparent()
        name = local_name(here)
        if above is not None:
            tag = str(here.tag)
            before = sum(1 for _ in here.itersiblings(tag, preceding=True))
            if before or len(here) or next(here.itersiblings(tag), None) is not None:
                name = f"{name}[{before + 1}]"
        steps.append(name)
        here = above
    return "/" + "/".join(reversed(steps))


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def namespace_of(element: etree._Element) -> str:
    """The element's namespace, empty for none."""
    return element.tag[1:].partition("}")[0] if isinstance(element.tag, str) and element.tag[:1] == "{" else ""


def text_of(element: etree._Element) -> str:
    """The element's own text before any child, byte for byte; empty when there is none."""
    return element.text or ""


def _parser(*, keep_all: bool = False, drop_blanks: bool = False) -> etree.XMLParser[etree._Element]:
    return etree.XMLParser(
        # Overrides whatever the document declares: the bytes are UTF-8 by now.
        encoding="utf-8",
        no_network=True,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=not keep_all,
        remove_pis=not keep_all,
        remove_blank_text=drop_blanks,
        collect_ids=False,
    )


# A parser locks itself while it is used, so these serve every thread.
_PARSER = _parser()
_COMPACT_PARSER = _parser(drop_blanks=True)
_WHOLE_PARSER = _parser(keep_all=True)


def _may_split_text(document: bytes) -> bool:
    """Whether a comment, CDATA section or instruction can stand inside a text.

    Where none can, white space between elements is left out of the tree, which makes it smaller by half. Where one
    can, the parser might take the white space in front of it for white space between elements.
    """
    # One byte is sought much faster than two, and most documents have neither.
    if b"!" in document and b"<!" in document:
        return True
    behind_declaration = document.find(b"?>", 0, _LONGEST_DECLARATION) + 2
    return b"?" in document[behind_declaration:] and b"<?" in document[behind_declaration:]


def _built(document: bytes, parser: etree.XMLParser[etree._Element]) -> etree._Element:
    try:
        return etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        if error.code == _TOO_DEEP:
            raise _refused(Code.TOO_DEEP, "Elements are nested deeper than 256 levels.") from error
        if error.code == _NOT_UTF8:
            raise _refused(Code.NOT_UTF8, "The bytes are not text in UTF-8, the encoding that they claim.") from error
        line, column = error.position
        reason = (error.msg or "no root element").split(", line ")[0].strip()
        sentence = f"The document is not well-formed XML: {reason} (line {line}, column {column})."
        raise _refused(Code.NOT_XML, sentence) from error
    except ValueError as error:
        raise _refused(Code.NOT_XML, "The document is not well-formed XML.") from error


def _check_prolog(document: bytes) -> None:
    """Refuse a document type; one that is quoted in a text behind the first element is only text."""
    position = 0
    while position >= 0:
        space = _SPACE.match(document, position, _LONGEST_PROLOG)
        position = space.end() if space else position
        if document.startswith(b"<?", position, _LONGEST_PROLOG):
            position = _behind(b"?>", document, position + 2)
        elif document.startswith(b"<!--", position, _LONGEST_PROLOG):
            position = _behind(b"-->", document, position + 4)
        elif document.startswith(_DOCTYPE, position, _LONGEST_PROLOG):
            raise _refused(Code.DTD, "The document has a document type declaration (DTD), which is never read.")
        elif position < _LONGEST_PROLOG - len(_DOCTYPE):
            return
        else:
            break
    raise _refused(Code.NOT_XML, f"No element begins within the first {_LONGEST_PROLOG} bytes.")


def _behind(mark: bytes, document: bytes, start: int) -> int:
    end = document.find(mark, start, _LONGEST_PROLOG)
    return end + len(mark) if end >= 0 else -1


def _count(document: bytes, limits: XmlLimits) -> None:
    size = len(document)
    for counted, limit, fewest_bytes, things in (
        # An element is at least <a/>, which has one or two of the sign; an attribute a="".
        (b"<", 2 * limits.max_elements, 2, "elements"),
        (b"=", limits.max_attributes, 5, "attributes"),
        (b"xmlns", limits.max_namespaces, 9, "namespace declarations"),
        (b"&", limits.max_references, 4, "character references"),
    ):
        # A document that is too short to hold so many need not be counted.
        if size > limit * fewest_bytes and document.count(counted) > limit:
            raise _refused(Code.TOO_MANY_NODES, f"The document holds more {things} than are read.")


def _drop_location_hints(root: etree._Element) -> None:
    for element in root.iter():
        for hint in _LOCATION_HINTS:
            element.attrib.pop(hint, None)


def _refused(code: Code, sentence: str) -> RefusedMessageError:
    findings: list[Finding] = [refusal(code, "/", sentence)]
    return RefusedMessageError(findings)
