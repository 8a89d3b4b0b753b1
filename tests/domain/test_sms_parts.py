"""Cutting a short message into parts: it agrees with the count that people are shown, and loses nothing."""

from hypothesis import given
from hypothesis import strategies as st

from domain import texts
from domain.sms_parts import GSM7, GSM7_EXTENDED, Alphabet, SmsParts, fits_gsm7, sms_parts, ucs2_parts
from domain.texts import sms_segments

GSM_TEXTS = st.text(st.sampled_from(sorted(texts._GSM7 | texts._GSM7_EXTENDED)), max_size=700)
MIXED = st.text(st.sampled_from("a€[汉😀\n@"), max_size=700)


def units(part: str, alphabet: Alphabet) -> int:
    if alphabet is Alphabet.UCS2:
        return len(part.encode("utf-16-be")) // 2
    return sum(2 if letter in GSM7_EXTENDED else 1 for letter in part)


@given(text=st.one_of(st.text(max_size=700), GSM_TEXTS, MIXED))
def test_there_are_as_many_parts_as_are_counted_and_joined_they_are_the_text(text: str) -> None:
    cut = sms_parts(text)
    assert len(cut.parts) == sms_segments(text)
    assert "".join(cut.parts) == text
    assert (cut.alphabet is Alphabet.GSM7) == fits_gsm7(text)


@given(text=st.one_of(GSM_TEXTS, MIXED))
def test_every_part_fits_a_segment(text: str) -> None:
    cut = sms_parts(text)
    alone, each = (160, 153) if cut.alphabet is Alphabet.GSM7 else (70, 67)
    assert all(units(part, cut.alphabet) <= (alone if len(cut.parts) == 1 else each) for part in cut.parts)


def test_no_character_is_cut_in_two() -> None:
    assert sms_parts("a" * 152 + "€" + "a" * 8).parts == ("a" * 152, "€" + "a" * 8)
    assert ucs2_parts("汉" * 66 + "😀" + "汉" * 3).parts == ("汉" * 66, "😀" + "汉" * 3)


def test_the_alphabet_in_its_order_is_the_one_that_is_counted_by() -> None:
    assert len(GSM7) == 128
    assert set(GSM7) - {"\x1b"} == texts._GSM7
    assert set(GSM7_EXTENDED) == texts._GSM7_EXTENDED
    assert (GSM7.index("@"), GSM7.index("A"), GSM7.index("a"), GSM7.index("à")) == (0, 0x41, 0x61, 0x7F)


def test_an_empty_text_is_one_empty_part() -> None:
    assert sms_parts("") == SmsParts(Alphabet.GSM7, ("",))
