"""S10: whatever the bytes, the reader returns messages or raises its one error."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cap import CapChecks, CapReader
from domain.findings import RefusedMessageError
from domain.messages import AgencyMessage
from tests.adapters.cap.mutations import damaged
from tests.adapters.cap.samples import ALERT, alert

READERS = (CapReader(), CapReader(CapChecks.lenient()))
MUTATIONS_A_FILE = 12


def _stands(content: bytes) -> None:
    for reader in READERS:
        try:
            messages = reader.read(content)
        except RefusedMessageError as error:
            refused = any(finding.refuses for finding in error.findings)
            messages = ()
        else:
            refused = False
        assert bool(messages) != refused
        for message in messages:
            assert AgencyMessage.model_validate(message.model_dump()) == message


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(content: bytes) -> None:
    _stands(content)


@given(st.integers(min_value=0))
def test_a_damaged_message_is_read_or_refused(seed: int) -> None:
    _stands(damaged(ALERT.encode(), random.Random(seed)))


@given(st.text(st.characters(codec="utf-8", exclude_characters="<&"), max_size=60), st.integers(0, 8))
def test_any_text_in_any_place_is_read_or_refused(text: str, place: int) -> None:
    values = (
        "id-1",
        "a@example.org",
        "2026-05-16T08:00:00+08:00",
        "Actual",
        "Public",
        "暴雨",
        "330602",
        "12.5",
        "转移",
    )
    _stands(
        alert((f">{values[place]}<", f">{text}<")) if f">{values[place]}<" in ALERT else alert((values[place], text))
    )


@given(st.text("0123456789.,- \n+eE[]", max_size=80))
def test_any_text_in_a_polygon_or_circle_is_read_or_refused(text: str) -> None:
    ring = ALERT.split("<polygon>")[1].split("</polygon>")[0]
    _stands(alert((ring, text), ("30.0,120.5 12.5", text)))


@given(st.text("sia,: \n2026-05T0Z+", max_size=120))
def test_any_text_in_references_is_read_or_refused(text: str) -> None:
    _stands(alert(("<scope>Public</scope>", f"<scope>Public</scope><references>{text}</references>")))


@pytest.mark.parametrize("folder", ["cap/valid", "cap/invalid", "edxl"])
def test_damaged_messages_of_real_senders_are_read_or_refused(folder: str, shared_data: Path) -> None:
    chance = random.Random(folder)
    for file in sorted((shared_data / folder).glob("*")):
        content = file.read_bytes()
        for _ in range(MUTATIONS_A_FILE):
            _stands(damaged(content, chance))


@pytest.mark.parametrize("text", ["," * 99_000, " " * 99_000, "s,i,", '"' * 99_000, "s" * 99_000, "s, " * 30_000])
def test_no_text_makes_reading_slow(text: str) -> None:
    content = alert(
        ("<scope>Public</scope>", f"<scope>Public</scope><references>{text}</references><incidents>{text}</incidents>"),
        ("30.0,120.5 12.5", text),
    )
    start = time.process_time()
    _stands(content)
    # No figure of speed: what is quadratic takes minutes.
    assert time.process_time() - start < 20
