"""What people send back: the whole message must say it, however it is written, and nothing else is taken for it."""

from unicodedata import normalize

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.replies import CONFIRMING, CONFIRMING_ALONE, LONGEST, STOPPING, Reply, ReplyKind, meaning_of

CONFIRMATIONS = sorted(
    CONFIRMING | CONFIRMING_ALONE | {"回复1", "回复 1", "回复“1”", "回复:1", "回复【1】", "回1", "reply 1"}
)
STOPS = sorted(STOPPING | {"回复td", "回 t", "回复退订"})
AROUND = st.text(alphabet=" \t\r\n\u3000.,!;:。，！；：、…~“”\"'（）()【】👍🙏\ufe0f\u200b", max_size=4)


def fullwidth(text: str) -> str:
    """Letters, digits and marks as a Chinese keyboard writes them."""
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def variants(words: list[str]) -> st.SearchStrategy[str]:
    written = st.sampled_from([str.lower, str.upper, str.title, fullwidth, lambda word: fullwidth(word.upper())])
    return st.builds(
        lambda before, word, write, after: f"{before}{write(word)}{after}",
        AROUND,
        st.sampled_from(words),
        written,
        AROUND,
    )


@given(variants(CONFIRMATIONS))
def test_a_confirmation_is_one_however_it_is_written(text: str) -> None:
    assert meaning_of(text) == Reply(ReplyKind.CONFIRM)


@given(variants(STOPS))
def test_a_wish_to_be_left_alone_is_one_however_it_is_written(text: str) -> None:
    assert meaning_of(text) == Reply(ReplyKind.STOP)


@given(AROUND, st.from_regex(r"[0-9]{6}", fullmatch=True), st.booleans(), AROUND)
def test_six_digits_are_a_code(before: str, code: str, wide: bool, after: str) -> None:
    assert meaning_of(f"{before}{fullwidth(code) if wide else code}{after}") == Reply(ReplyKind.CODE, code)


@pytest.mark.parametrize("text", ["验证码123456", "验证码：123456", "Code: 123 456", "123-456"])
def test_a_code_may_be_copied_with_its_name(text: str) -> None:
    assert meaning_of(text) == Reply(ReplyKind.CODE, "123456")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1个村受淹",
            "11",
            "1.1",
            "1 1",
            "1,2",
            "01",
            "1号桥已封",
            "没有1",
            "101",
            "-1",
            "+1",
            "①村",
            "1%",
            "y1",
            "yy",
        ),
        *(
            "未收到",
            "没收到",
            "收到?",
            "收到？",
            "已收到吗",
            "已收到吗？",
            "谁收到了",
            "收到但人不在",
            "不ok",
            "not received",
        ),
        *("回复11", "回复1个", "不要回复1", "回复", "回复了"),
        *("12345", "1234567", "12 34 56", "电话123456", "123456 789"),
        *("t恤", "stop it", "不退订", "别退订", "ttd", "t 1"),
        *("", " ", "。", "?", "好的", "谢谢", "👍"),
    ],
)
def test_what_says_something_else_is_not_taken_for_any_of_them(text: str) -> None:
    assert meaning_of(text) == Reply(ReplyKind.UNKNOWN)


@pytest.mark.parametrize("text", ["收到，谢谢", "好的，收到！", "OK thanks", "Received. Thank you.", "收到 收到"])
def test_politeness_beside_a_confirmation_does_not_undo_it(text: str) -> None:
    assert meaning_of(text) == Reply(ReplyKind.CONFIRM)


@given(
    st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=20), st.sampled_from(["1", "y", "td"])
)
def test_a_short_word_within_other_words_means_nothing(other: str, word: str) -> None:
    plain = normalize("NFKC", other).casefold()
    known = CONFIRMING | CONFIRMING_ALONE | STOPPING
    for text in (f"{other}{word}", f"{word}{other}", f"{other} {word}", f"{word} {other}", f"{word}，{other}"):
        whole = normalize("NFKC", text).casefold()
        assume(whole not in known and not plain.startswith(("回", "reply", "验证码", "code")))
        assume(sum(letter.isdigit() for letter in whole) != len(whole.replace(" ", "")))
        assert meaning_of(text).kind is ReplyKind.UNKNOWN, text


@given(st.text(max_size=LONGEST + 50))
def test_every_message_means_something_and_what_is_too_long_means_nothing(text: str) -> None:
    found = meaning_of(text)
    assert (found.kind is ReplyKind.CODE) == (len(found.code) == 6)
    if len(text) > LONGEST:
        assert found == Reply(ReplyKind.UNKNOWN)


def test_a_long_message_is_none_of_these_words_however_it_is_filled_up() -> None:
    assert meaning_of("1" + " " * (LONGEST - 1)) == Reply(ReplyKind.CONFIRM)
    assert meaning_of("1" + " " * LONGEST) == Reply(ReplyKind.UNKNOWN)
