"""What the writer's blocks write is what lxml would write: the same bytes for every text."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.cap.writer_info import Block

NAMES = st.sampled_from(["event", "headline", "description"])
ANYTHING = st.text(st.characters(exclude_categories=()))  # halves of pairs and control characters as well


@given(st.lists(st.tuples(NAMES, ANYTHING)), ANYTHING)
def test_blocks_are_written_as_lxml_writes_the_same_elements(children: list[tuple[str, str]], value: str) -> None:
    ours = Block("alert")
    root = etree.Element("alert")
    info, beside = ours.fresh_block("info"), etree.SubElement(root, "info")
    for name, text in children:
        info.add(name, text)
        if text:
            etree.SubElement(beside, name).text = _allowed(text)
    info.add_pair("parameter", "level", value)
    pair = etree.SubElement(beside, "parameter")
    etree.SubElement(pair, "valueName").text = "level"
    if value:
        etree.SubElement(pair, "value").text = _allowed(value)
    assert ours.written().encode() == etree.tostring(root, encoding="UTF-8", pretty_print=True)


def test_what_xml_cannot_hold_is_counted_by_the_block_it_is_in() -> None:
    alert = Block("alert")
    info = alert.fresh_block("info")
    info.block("area").add("areaDesc", "\x00a\x01")
    assert info.replaced == {"areaDesc": 2}
    assert alert.replaced == {}
    assert "<areaDesc>\ufffda\ufffd</areaDesc>" in alert.written()


def test_a_block_without_children_is_an_empty_element() -> None:
    assert Block("alert").written(' xmlns="x"') == '<alert xmlns="x"/>\n'


def _allowed(text: str) -> str:
    """The text with what lxml refuses replaced, asked of lxml itself."""
    return "".join(one if _is_taken(one) else "\ufffd" for one in text)


def _is_taken(character: str) -> bool:
    try:
        etree.Element("x").text = character
    except (ValueError, UnicodeEncodeError):
        return False
    return True
