"""The short way against the long one: what it reads is valid, and it reads the same and finds the same."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.cap import CapChecks, CapReader
from adapters.cap.findings import Found
from adapters.cap.plain import plain_fields
from adapters.cap.schema import schema_of
from adapters.cap.vocabulary import CAP_1_1, CAP_1_2
from adapters.xml.safe import checked, namespace_of, parse
from domain.findings import RefusedMessageError
from tests.adapters.cap.mutations import alerts, damaged, mutations
from tests.adapters.cap.samples import ALERT, alert, read

CHECKS = (CapChecks(), CapChecks.lenient())
FOLDERS = ("cap/valid", "cap/invalid", "edxl")
PLAIN = ALERT.replace("<value/>", "<value>x</value>")


def _is_plain(content: bytes) -> bool:
    try:
        return plain_fields(checked(content), Found(CapChecks(), size=len(content))) is not None
    except RefusedMessageError:
        return False


def _read(content: bytes, checks: CapChecks, *, short_way: bool) -> object:
    try:
        return CapReader(checks, short_way=short_way).read(content)
    except RefusedMessageError as error:
        return error.findings


def _agrees(content: bytes) -> bool:
    """Whether the document was plain; fails where the two ways differ, or a plain document is not valid."""
    if not _is_plain(content):
        return False
    root = parse(content)
    assert schema_of(namespace_of(root))(root), content
    for checks in CHECKS:
        assert _read(content, checks, short_way=True) == _read(content, checks, short_way=False), content
    return True


def test_a_message_as_most_senders_write_it_is_plain() -> None:
    assert _agrees(PLAIN.encode())
    assert _agrees(ALERT.encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<alert xmlns=", "<alert xmlns:atom='urn:a' xmlns="),
        ("<alert xmlns=", "<alert id='1' xmlns="),
        ("<status>", "<status id='1'>"),
        ("<status>", "<!-- --><status>"),
        ("<status>", "text<status>"),
        ("<status>Actual", "<status><![CDATA[Actual]]>"),
        ("<status>Actual", "<status> Actual"),
        ("<event>暴雨", "<event>暴雨]]>"),
        ("<event>暴雨", "<event>暴\x01雨"),
        ("<event>暴雨", "<event>暴\ufffe雨"),
        ("<event>暴雨", "<event>暴&nbsp;雨"),
        ("<event>暴雨", "<event>暴&#xFFFF;雨"),
        ("<event>暴雨", "<event>暴&#0;雨"),
        ("<event>暴雨", "<event>暴&#55296;雨"),
        ("<event>暴雨", "<event>暴<b/>雨"),
        ("</alert>", "</alert><alert/>"),
        ("</info>", ""),
        ('encoding="UTF-8"', "encoding=\"UTF-8'"),
        ('version="1.0"', 'version="1.1"'),
        ("+08:00</sent>", "+14:01</sent>"),
        ("2026-05-17T08:00:00+08:00</expires>", "2026-02-31T08:00:00+08:00</expires>"),
        ("2026-05-17T08:00:00+08:00</expires>", "2026-06-31T08:00:00+08:00</expires>"),
        ("2026-05-17T08:00:00+08:00</expires>", "2026-02-01T24:00:00+08:00</expires>"),
        ("<scope>Public</scope>", "<scope>Public</scope><scope>Public</scope>"),
        ("<area>", "<area><area>"),
    ],
)
def test_what_is_not_plain_takes_the_long_way(old: str, new: str) -> None:
    assert old in PLAIN
    assert not _is_plain(PLAIN.replace(old, new, 1).encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n", "\r\n"),
        ("\n", "\r"),
        ("<?xml", "\ufeff<?xml"),
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n "),
        ('<?xml version="1.0" encoding="UTF-8"?>', "<?xml version = '1.0' encoding='utf-8' standalone='yes' ?>"),
        ("<alert", "<!-- who - made - this --><?xml-stylesheet href='a.xsl'?>\n<alert"),
        ("<event>暴雨", "<event> 暴雨&amp;amp;&lt;&#13;&#x2022;\n"),
        ("<areaDesc> 绍兴市 <", "<areaDesc> &#32; <"),
        ("<valueName>division<", "<valueName> <"),
        ("<valueName>colour<", "<valueName><"),
        ("<value> orange </value>", "<value />"),
        ("<headline> 暴雨橙色预警 </headline>", "<headline/>"),
        ("30.1,120.1 30.1,120.3", "30.1,120.1\n30.1,120.3"),
        ("30.1,120.1 30.1,120.3", "30.2,120.1 30.1,120.3"),
        ("30.1,120.3 30.3,120.3", "30.3,120.3 30.1,120.3 30.4,120.1 30.3,120.3"),
        ("30.0,120.5 12.5", "30.0,120.5 -1"),
        ("<altitude>10", "<altitude>-10.5"),
        ("<instruction>转移", "<instruction>" + "转移" * 400),
        ("2026-05-17T08:00:00+08:00</expires>", "2026-05-15T08:00:00+08:00</expires>"),
        ("<msgType>Alert", "<msgType>Update"),
        ("<scope>Public</scope>", "<scope>Public</scope><code> a</code><code>b</code><references></references>"),
        ("<sender>a@example.org", "<sender>a b"),
        ("<identifier>id-1", "<identifier> "),
    ],
)
def test_the_short_way_says_of_a_plain_document_what_the_long_one_says(old: str, new: str) -> None:
    assert old in PLAIN
    assert _agrees(PLAIN.replace(old, new).encode())


@pytest.mark.parametrize("namespace", [CAP_1_1, CAP_1_2])
@pytest.mark.parametrize("prefix", ["", "cap:"])
def test_damaged_messages_are_read_alike_both_ways(namespace: str, prefix: str) -> None:
    chance = random.Random(namespace + prefix)
    names = {prefix[:-1] or None: namespace}
    (whole,) = alerts(PLAIN.replace(CAP_1_2, namespace).encode())
    root = etree.Element(whole.tag, nsmap=names)
    root.extend(list(whole))
    plain = 0
    for changed in mutations(root, chance, 1_500):
        plain += _agrees(etree.tostring(changed, encoding="utf-8", xml_declaration=True))
    # Most damage makes a message invalid; where none were plain, nothing would be compared.
    assert plain > 50


@given(st.integers(min_value=0))
def test_damaged_bytes_are_read_alike_both_ways(seed: int) -> None:
    _agrees(damaged(PLAIN.encode(), random.Random(seed)))


@given(st.text(st.characters(codec="utf-8"), max_size=20), st.integers(0, 6))
def test_any_text_in_any_place_is_read_alike_both_ways(text: str, place: int) -> None:
    values = ("id-1", "暴雨", "330602", "转移", "colour", "zh-CN", "https://example.org/a.png")
    _agrees(PLAIN.replace(f">{values[place]}<", f">{text}<").encode())


@pytest.mark.parametrize("folder", FOLDERS)
def test_real_messages_and_their_damage_are_read_alike_both_ways(folder: str, shared_data: Path) -> None:
    chance = random.Random(folder)
    plain = 0
    for file in sorted((shared_data / folder).glob("*")):
        content = file.read_bytes()
        plain += _agrees(content)
        for _ in range(10):
            _agrees(damaged(content, chance))
        for whole in alerts(content):
            for changed in mutations(whole, chance, 10):
                _agrees(etree.tostring(changed, encoding="utf-8"))
    if folder == "cap/valid":
        assert plain > 60


def test_a_reference_to_a_character_in_a_text_is_that_character() -> None:
    assert read(alert((">转移<", ">&#36716;&#x79FB; &amp;lt;<"))).infos[0].instruction == "转移 &lt;"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.replace("<scope>Public</scope>", "<scope>Public</scope>" + "<code>c</code>" * 5_001).encode(),
        PLAIN.replace("<alert", "<!--" + "- " * 30_000 + "--><alert").encode(),
        PLAIN.replace("<alert", "<!-- -->" * 8_000 + "<alert").encode(),
        PLAIN.replace(
            "</alert>", PLAIN[PLAIN.index("<info>") : PLAIN.index("</alert>")] * 100 + "<x/></alert>"
        ).encode(),
    ],
    ids=["children", "comment", "comments", "infos"],
)
def test_long_documents_are_read_alike_both_ways(content: bytes) -> None:
    _agrees(content)
    for checks in CHECKS:
        assert _read(content, checks, short_way=True) == _read(content, checks, short_way=False)
