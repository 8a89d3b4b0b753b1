"""Links and codes: what they name, and that nobody makes one without the key."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.links import KEY_NAME, Links, Opened, links_in
from domain.notices import Purpose

SUBJECT = UUID("7d1f6a52-4f4b-4e0a-9d2e-1f6f6f0a7b11")
LINKS = Links(b"k" * 32, "https://warnings.example/")

subjects, numbers, purposes = st.uuids(), st.integers(1, 2**32 - 1), st.sampled_from(Purpose)


@given(purposes, subjects, numbers)
def test_a_token_opens_what_it_was_made_for(purpose: Purpose, subject: UUID, number: int) -> None:
    assert LINKS.opened(LINKS.token(purpose, subject, number)) == Opened(purpose, subject, number)


@given(purposes, subjects, numbers, st.integers(0, 47), st.sampled_from("AZaz09-_é=/"))
def test_an_altered_token_opens_nothing(purpose: Purpose, subject: UUID, number: int, at: int, other: str) -> None:
    token = LINKS.token(purpose, subject, number)
    altered = token[:at] + other + token[at + 1 :]
    assert altered == token or LINKS.opened(altered) is None


@given(st.text(max_size=60))
def test_what_is_no_token_opens_nothing(text: str) -> None:
    assert LINKS.opened(text) is None


def test_another_key_opens_nothing() -> None:
    assert Links(b"q" * 32).opened(LINKS.token(Purpose.CALL_UP, SUBJECT, 7)) is None


def test_a_link_begins_with_the_public_address_and_is_left_out_without_one() -> None:
    token = LINKS.token(Purpose.CALL_UP, SUBJECT, 7)
    assert LINKS.link(Purpose.CALL_UP, SUBJECT, 7) == f"https://warnings.example/c/{token}"
    assert Links(b"k" * 32).link(Purpose.CALL_UP, SUBJECT, 7) == ""


@given(purposes, subjects, numbers)
def test_a_code_is_six_digits_and_each_ones_own(purpose: Purpose, subject: UUID, number: int) -> None:
    code = LINKS.code(purpose, subject, number)
    assert len(code) == 6
    assert code.isdecimal()
    assert LINKS.is_code(code, purpose, subject, number)
    assert not LINKS.is_code("１２３４５６", purpose, subject, number)
    assert not LINKS.is_code(code[:-1], purpose, subject, number)


def test_the_key_stays_the_same_over_starts_and_is_private(tmp_path: Path) -> None:
    token = links_in(tmp_path).token(Purpose.SUBSCRIPTION, SUBJECT, 3)
    assert links_in(tmp_path).opened(token) == Opened(Purpose.SUBSCRIPTION, SUBJECT, 3)
    assert (tmp_path / KEY_NAME).stat().st_mode & 0o777 == 0o600


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / KEY_NAME).write_bytes(b"short")
    with pytest.raises(ValueError, match="does not hold a key"):
        links_in(tmp_path)
