"""What no document can do to us (S1), and what the helpers promise."""

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

from adapters.xml.safe import XmlLimits, local_name, namespace_of, parse, parse_whole, path_of, text_of
from domain.findings import RefusedMessageError
from tests.adapters.xml.reaching import ADDRESSES, ATTACKS, ITSELF
from tests.conftest import PROJECT


@pytest.fixture(scope="module")
def outside() -> Mapping[str, list[str]]:
    """What reading each document opened, by its name."""
    command = [sys.executable, "-m", "tests.adapters.xml.reaching"]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, check=True)
    found: Mapping[str, list[str]] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_with_its_code_and_touches_nothing_outside(
    name: str, outside: Mapping[str, list[str]]
) -> None:
    make, code = ATTACKS[name]
    content = make()
    with pytest.raises(RefusedMessageError) as refused:
        parse(content)
    assert [finding.code for finding in refused.value.findings] == [code]
    assert all(finding.refuses for finding in refused.value.findings)
    assert outside[name] == []


def test_the_watch_over_files_and_sockets_sees_them(outside: Mapping[str, list[str]]) -> None:
    assert {"open", "socket.__new__"} <= set(outside[ITSELF])


@pytest.mark.parametrize("name", ADDRESSES)
def test_addresses_in_a_document_are_not_followed(name: str, outside: Mapping[str, list[str]]) -> None:
    assert "root:" not in "".join(parse(ADDRESSES[name]).itertext())
    assert outside[name] == []


def test_hints_at_schemas_are_removed() -> None:
    root = parse(
        b'<a xmlns:x="http://www.w3.org/2001/XMLSchema-instance"><b x:schemaLocation="u v" c="d"/>'
        b'<b x:noNamespaceSchemaLocation="w"/></a>'
    )
    assert [dict(child.attrib) for child in root] == [{"c": "d"}, {}]


def test_a_text_is_whole_whatever_stands_inside_it() -> None:
    assert parse(b"<a> x<!-- -->y<?p q?>z<![CDATA[<w>]]> </a>").text == " xyz<w> "


@pytest.mark.parametrize(
    "document", [b"<a><b> \n </b></a>", b"<a><b> \n <![CDATA[]]></b></a>", b"<a><b> \n <!-- --></b></a>"]
)
def test_a_text_of_white_space_is_kept(document: bytes) -> None:
    assert parse(document)[0].text == " \n "


def test_white_space_in_front_of_a_quoted_part_is_kept() -> None:
    assert parse(b"<a><b> \n <![CDATA[x]]></b></a>")[0].text == " \n x"


def test_a_document_type_that_is_quoted_in_a_text_is_only_text() -> None:
    assert parse(b"<a><![CDATA[<!DOCTYPE html>]]></a>").text == "<!DOCTYPE html>"


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("GB2312", "gbk"),
        ("gb18030", "gb18030"),
        ("Big5", "big5"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-8"),  # programs that build a string first claim this of UTF-8
        ("UTF-8", "utf-8-sig"),
    ],
)
def test_the_encodings_of_real_senders_are_read(declared: str, codec: str) -> None:
    text = "上海"
    assert parse(f'<?xml version="1.0" encoding="{declared}"?><a>{text}</a>'.encode(codec)).text == text


def test_limits_can_be_set() -> None:
    with pytest.raises(RefusedMessageError):
        parse(b"<a>1234567890</a>", XmlLimits(max_bytes=10))


def test_what_a_signature_covers_is_kept_whole() -> None:
    root = parse_whole(b"<?p q?><a>x<!-- c --> <b/> </a>")
    assert len(root.xpath("//comment()")) == 1
    assert root[1].tail == " "


def test_a_path_names_positions_of_blocks_and_of_namesakes() -> None:
    root = parse(b"<alert xmlns='u'><info><event/></info><info><expires/><code/><code/></info><sent/></alert>")
    info = root[1]
    assert path_of(info[0]) == "/alert/info[2]/expires"
    assert path_of(info[2]) == "/alert/info[2]/code[2]"
    assert path_of(root[2]) == "/alert/sent"
    assert path_of(root) == "/alert"
    assert path_of(parse(b"<alert><info><expires/></info></alert>")[0][0]) == "/alert/info[1]/expires"


def test_names_and_texts_are_told() -> None:
    root = parse(b"<a xmlns='u'> x <b/></a>")
    assert (local_name(root), namespace_of(root), text_of(root), text_of(root[0])) == ("a", "u", " x ", "")
    assert namespace_of(parse(b"<a/>")) == ""
