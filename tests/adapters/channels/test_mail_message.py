"""What a mail is made of, and that no text, name or address can make anything else of it (S7)."""

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.channels.mail_addresses import Mailbox, NotAnAddressError, mailbox
from adapters.channels.mail_html import HtmlWriter
from adapters.channels.mail_message import MessageWriter
from adapters.channels.mail_unsubscribing import recipient_of_token, unsubscribe_token
from adapters.channels.port import Letter
from domain.levels import Level
from domain.messages import Mode
from domain.telling_events import SendText
from tests.adapters.channels.mail_samples import CHINESE, ENGLISH, letter
from tests.adapters.channels.mail_servers import message_of

KEY = b"k" * 32
HEADERS = {
    "To",
    "Message-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "From",
    "Subject",
    "Date",
    "Auto-Submitted",
    "Importance",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
}


def writer(folder: Path | None = None, name: str = "市应急管理局预警中心") -> MessageWriter:
    return MessageWriter(
        HtmlWriter(folder),
        sender="warnings@outlet.example",
        sender_names={"zh-CN": name},
        id_domain="outlet.example",
        unsubscribe_url="https://outlet.example/u/{token}",
        unsubscribe_key=KEY,
    )


WRITER = writer()


def raw(one: Letter, of: MessageWriter = WRITER) -> bytes:
    return of.content(one, mailbox(one.address))


def read(content: bytes) -> EmailMessage:
    """As a server stores it: without the ending line, dots undoubled."""
    assert content.endswith(b"\r\n.\r\n")
    return message_of(content[:-3].replace(b"\r\n..", b"\r\n."))


def part(message: EmailMessage, subtype: str) -> str:
    found = message.get_body((subtype,))
    assert found is not None
    content = found.get_content()
    assert isinstance(content, str)
    return content


def test_a_mail_has_its_text_verbatim_its_level_its_source_and_says_that_a_machine_sent_it() -> None:
    message = read(raw(letter()))
    assert set(message.keys()) == HEADERS
    assert part(message, "plain") == CHINESE.body
    assert message["Subject"] == CHINESE.subject
    assert message["From"].addresses[0].addr_spec == "warnings@outlet.example"
    assert message["From"].addresses[0].display_name == "市应急管理局预警中心"
    assert message["To"] == "reader@people.example"
    assert message["Message-ID"] == "<letter-1@outlet.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(message["Date"]) == letter().planned_at
    html = part(message, "html")
    assert '<html lang="zh-CN">' in html
    assert "#c8102e" in html
    assert '<a href="https://outlet.example/w/330681">' in html
    assert "预计未来三小时累计雨量可达100毫米以上。" in html
    assert "演练" not in html


def test_markup_in_a_text_is_shown_and_not_obeyed() -> None:
    html = part(read(raw(letter(text=ENGLISH))), "html")
    assert "&lt;Leave&gt; low ground &amp; stay away" in html
    assert '<html lang="en">' in html


@pytest.mark.parametrize(("text", "mark"), [(CHINESE, "【演练】"), (ENGLISH, "DRILL:")])
def test_a_drill_is_marked_at_its_beginning_and_its_end(text: SendText, mark: str) -> None:
    html = part(read(raw(letter(text=text, mode=Mode.DRILL))), "html")
    body = html[html.index("<body") :]
    assert body.count(mark) == 2
    assert body.index(mark) < body.index("<h1") < body.rindex(mark)


@pytest.mark.parametrize(
    ("language", "footer"),
    [("zh", "自动发出"), ("zh-Hans", "自动发出"), ("en-GB", "automatically"), ("fr", "automatically")],
)
def test_a_language_without_templates_gets_the_nearest(language: str, footer: str) -> None:
    text = CHINESE.model_copy(update={"language": language})
    assert footer in part(read(raw(letter(text=text))), "html")


def test_the_unsubscribe_link_names_its_recipient_and_nobody_elses_key_does() -> None:
    message = read(raw(letter(number=4711)))
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.fullmatch(r"<https://outlet\.example/u/([\w-]+)>", message["List-Unsubscribe"])
    assert link is not None
    assert recipient_of_token(KEY, link[1]) == 4711
    assert recipient_of_token(b"x" * 32, link[1]) is None


@given(st.integers(1, 2**32 - 1), st.integers(0, 27), st.sampled_from("AZaz09-_=\n é"))
def test_an_altered_token_is_nobodys(number: int, place: int, character: str) -> None:
    token = unsubscribe_token(KEY, number)
    altered = token[:place] + character + token[place + 1 :]
    assert recipient_of_token(KEY, token) == number
    assert recipient_of_token(KEY, altered) == (number if altered == token else None)


def test_the_same_letter_is_the_same_bytes_whenever_it_is_written() -> None:
    assert raw(letter(), writer()) == raw(letter(), writer())
    assert raw(letter(id_="other")) != raw(letter())


def test_an_outlets_own_template_goes_first_and_cannot_leave_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "zh-CN.html").write_text("<p>{{ subject }}</p>", encoding="utf-8")
    (tmp_path / "en.html").write_text("{{ ''.__class__.__mro__ }}", encoding="utf-8")
    own = writer(tmp_path)
    assert part(read(raw(letter(), own)), "html") == f"<p>{CHINESE.subject}</p>"
    assert read(raw(letter(text=ENGLISH), own)).get_body(("html",)) is None


@pytest.mark.parametrize("defect", ["{{ nothing }}", "{% for %}", "{{ 1 // 0 }}", "{{ 'a' + 1 }}"])
def test_a_templates_defect_keeps_no_text_back(tmp_path: Path, defect: str) -> None:
    (tmp_path / "zh-CN.html").write_text(defect, encoding="utf-8")
    message = read(raw(letter(), writer(tmp_path)))
    assert part(message, "plain") == CHINESE.body
    assert message.get_content_type() == "text/plain"


NASTY = st.text(
    st.one_of(
        st.sampled_from("\r\n\0\t .=?<>\"',;:@%\\\x0b\x0c\x1c\x85\u2028\u2029\u202e\u2066\ufeff\u200fé演"),
        st.characters(codec="utf-8"),
    ),
    max_size=300,
)
INJECTION = st.sampled_from(
    [
        "\r\nBcc: all@people.example\r\n",
        "\n.\nRCPT TO:<x@y.example>",
        "\r\n.\r\nMAIL FROM:<>",
        "\r\n\r\n<html>",
        "\r",
        "=?utf-8?B?DQo=?=",
    ]
)
HOSTILE = st.lists(st.one_of(NASTY, INJECTION), max_size=6).map("".join)


@given(subject=HOSTILE, body=HOSTILE, language=HOSTILE, name=HOSTILE, id_=HOSTILE, level=st.sampled_from(Level))
def test_no_text_adds_a_header_or_ends_the_mail(
    subject: str, body: str, language: str, name: str, id_: str, level: Level
) -> None:
    text = SendText(language=language, subject=subject, sms="", body=body)
    content = raw(letter(text=text, id_=id_, level=level), writer(name=name))
    assert content.isascii()
    assert b"\0" not in content
    lines = content.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 998
    assert [n for n, line in enumerate(lines) if line == b"."] == [len(lines) - 2]
    message = read(content)
    assert set(message.keys()) <= HEADERS
    assert len(message.keys()) == len(set(message.keys()))
    assert message["To"] == "reader@people.example"
    assert message["From"].addresses[0].addr_spec == "warnings@outlet.example"
    assert len(message["From"].addresses) == 1
    assert not re.search("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", str(message["Subject"]))
    parts = list(message.iter_parts())
    assert [one.get_content_type() for one in parts] == ["text/plain", "text/html"]
    plain = parts[0].get_payload(decode=True)
    assert isinstance(plain, bytes)
    is_as_it_is = parts[0]["Content-Transfer-Encoding"] == "7bit"
    assert (plain.replace(b"\r\n", b"\n") if is_as_it_is else plain) == body.encode()


@given(HOSTILE)
def test_no_address_leaves_its_place_in_envelope_or_header(text: str) -> None:
    for address in (text, f"{text}@people.example", f"reader@{text}", f"reader@people.example{text}"):
        try:
            found = mailbox(address)
        except NotAnAddressError:
            continue
        assert not re.search(r"[\s\x00-\x20\x7f<>\"(),:;\[\]\\]", found.address)
        assert found.address.count("@") == 1
        assert found.needs_utf8 or found.address.isascii()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reader+floods@people.example", Mailbox("reader+floods@people.example")),
        ("o'hara@people.example", Mailbox("o'hara@people.example")),
        ("reader@bücher.example", Mailbox("reader@xn--bcher-kva.example")),
        ("张三@people.example", Mailbox("张三@people.example", needs_utf8=True)),
    ],
)
def test_what_can_be_written_to(text: str, expected: Mailbox) -> None:
    assert mailbox(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "@people.example",
        "reader@",
        ".reader@people.example",
        "a..b@people.example",
        "r@-x.example",
        f"reader@{'a' * 64}.example",
        "a" * 250 + "@people.example",
        '"a b"@people.example',
    ],
)
def test_what_cannot(text: str) -> None:
    with pytest.raises(NotAnAddressError):
        mailbox(text)


def test_the_date_is_the_plans_and_in_utc() -> None:
    one = letter()
    later = datetime(2026, 7, 2, 0, 30, tzinfo=UTC) + timedelta(hours=1)
    moved = Letter(one.id, one.number, one.address, one.mode, one.level, one.warning_id, one.text, later)
    assert read(raw(moved))["Date"] == "Thu, 02 Jul 2026 01:30:00 +0000"
