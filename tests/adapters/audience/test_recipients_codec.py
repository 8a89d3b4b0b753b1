"""Recipients as bytes: they come back as they were, in one part or several, and small enough to keep."""

import random
from base64 import b64decode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.audience.people import PeopleError, people_from
from adapters.audience.recipients_codec import RecipientsError, pack, packed_parts, unpack, unpacked
from adapters.audience.table import joined, table_of
from domain.areas import Circle
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind, Recipient
from streams.intake import LARGEST_KEPT_BYTES
from tests.adapters.audience.logs import recipient

KEPT_BEFORE_POSTS = (
    "eF6bu6ooNTmzIDM1r6SYcUlOZlnqEQ52BgYGJiCePHHikpTSkkrGI0AeKmfSxEWpeROXVmXoOvuBpBknT5q0zNjYwMzABExZGE+E0kBZRpDmhVpw"
    "Y5JySlNhnMXFucVg9hEgBACcKy/m"
)
"""Two recipients as the version before posts kept them."""

words = st.text(min_size=1, max_size=6)
circles = st.builds(
    Circle,
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    radius_km=st.floats(0, 1000),
)
recipients = st.builds(
    Recipient,
    number=st.integers(1, 2**32 - 1),
    roster=words,
    role=words,
    language=words,
    areas=st.lists(words, max_size=3).map(tuple),
    circles=st.lists(circles, max_size=3).map(tuple),
    hazards=st.lists(words, max_size=3).map(tuple),
    level_min=st.sampled_from(Level),
    channels=st.lists(st.sampled_from(ChannelKind), min_size=1, max_size=3).map(tuple),
    post=st.sampled_from(("", "", "reservoir", "village")),
    turn=st.sampled_from((1, 1, 2, 99)),
)
rosters = st.lists(recipients, max_size=8, unique_by=lambda one: one.number)


@given(people=rosters, largest=st.sampled_from([1, 300, 10_000_000]))
def test_what_is_packed_comes_back_in_one_part_or_in_several(people: list[Recipient], largest: int) -> None:
    attachments = pack(table_of(Mode.LIVE, people), largest_part_bytes=largest)
    kept = {one.sha256: one.content for one in attachments}
    found = list(unpack(attachments[0].sha256, kept.get).recipients())
    assert found == sorted(people, key=lambda one: one.number)


@given(people=rosters, data=st.data())
def test_equal_recipients_are_equal_bytes_in_whatever_order_they_come(
    people: list[Recipient], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(people))
    split = data.draw(st.integers(0, len(people)))
    whole = pack(table_of(Mode.LIVE, people))
    assert pack(table_of(Mode.LIVE, other)) == whole
    assert pack(joined([table_of(Mode.LIVE, other[:split]), table_of(Mode.LIVE, other[split:])])) == whole


@given(people=rosters, data=st.data())
def test_a_table_without_some_is_the_table_of_the_others(people: list[Recipient], data: st.DataObject) -> None:
    table = table_of(Mode.LIVE, people)
    keep = [data.draw(st.booleans()) for _ in people]
    kept = [number for number, stays in zip(table.numbers.tolist(), keep, strict=True) if stays]
    expected = [one for one in people if one.number in kept]
    assert packed_parts(table.only(np.array(keep, dtype=bool))) == packed_parts(table_of(Mode.LIVE, expected))


def test_a_number_twice_or_a_recipient_of_the_other_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        table_of(Mode.LIVE, [recipient(1), recipient(1)])
    with pytest.raises(ValueError, match="stands twice"):
        joined([table_of(Mode.LIVE, [recipient(1)]), table_of(Mode.LIVE, [recipient(1)])])
    with pytest.raises(ValueError, match="not of mode"):
        table_of(Mode.LIVE, [recipient(1, mode=Mode.DRILL)])
    with pytest.raises(ValueError, match="one mode"):
        joined([table_of(Mode.LIVE, []), table_of(Mode.DRILL, [])])


def test_what_is_not_kept_or_is_no_recipients_is_named() -> None:
    packed = pack(table_of(Mode.LIVE, [recipient(1), recipient(2)]), largest_part_bytes=1)
    kept = {one.sha256: one.content for one in packed}
    with pytest.raises(RecipientsError, match="nothing is kept under"):
        unpack("0" * 64, kept.get)
    del kept[packed[2].sha256]
    with pytest.raises(RecipientsError, match="nothing is kept under"):
        unpack(packed[0].sha256, kept.get)
    kept[packed[2].sha256] = packed[0].content
    with pytest.raises(RecipientsError, match="itself in parts"):
        unpack(packed[0].sha256, kept.get)
    with pytest.raises(RecipientsError, match="other parts"):
        unpacked(packed[0].content)
    with pytest.raises(PeopleError):
        people_from(b"no set")


@given(cut=st.integers(0, 400), noise=st.binary(max_size=40))
def test_damaged_bytes_are_an_error_and_never_other_people(cut: int, noise: bytes) -> None:
    people = [recipient(number, "330683", circles=(Circle(latitude=1, longitude=2, radius_km=3),)) for number in (1, 9)]
    whole = packed_parts(table_of(Mode.LIVE, people))[0]
    damaged = whole[:cut] + noise
    if damaged.startswith(whole):
        return
    with pytest.raises(RecipientsError):
        unpacked(damaged)


def test_recipients_that_were_kept_before_there_were_posts_are_read_and_kept_as_they_were() -> None:
    read = list(unpacked(b64decode(KEPT_BEFORE_POSTS)).recipients())
    assert read == [recipient(7, "330683", language="en"), recipient(9, "330604", "330683")]
    assert packed_parts(table_of(Mode.LIVE, read)) == [b64decode(KEPT_BEFORE_POSTS)]


def test_many_recipients_with_little_in_common_take_few_bytes_each() -> None:
    chance = random.Random(4)
    count = 20_000
    people = [
        recipient(
            number,
            f"{chance.randrange(330602001001, 330683999999)}",
            circles=(
                Circle(
                    latitude=chance.uniform(29, 31),
                    longitude=chance.uniform(119, 122),
                    radius_km=chance.uniform(0, 9),
                ),
            ),
        )
        for number in chance.sample(range(1, 2**32), count)
    ]
    content = packed_parts(table_of(Mode.LIVE, people))[0]
    assert len(content) / count * 1_000_000 < LARGEST_KEPT_BYTES
