"""Whatever a list holds, reading it ends in a reading or in the one error (QUALITY S10)."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.feeds.list_reader import ListReader
from adapters.feeds.profile_files import shipped_profile, shipped_profile_names
from domain.findings import RefusedMessageError
from domain.messages import AgencyMessage
from tests.adapters.feeds.samples import ITEM, TITLE_PROFILE, item, listing, profile, titled

READERS = [
    ListReader(profile()),
    ListReader(profile(TITLE_PROFILE)),
    *(ListReader(shipped_profile(name)) for name in shipped_profile_names()),
]
SOUND = [
    listing(ITEM, item(id="18")),
    titled("样例市气象台解除暴雨橙色预警"),
    json.dumps(ITEM).encode(),
    b"var alarminfo=" + json.dumps(ITEM).encode() + b";",
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters(), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "code", "x"]), inner),
    max_leaves=6,
)


def read_or_refused(reader: ListReader, content: bytes) -> None:
    try:
        reading = reader.read_list(content)
    except RefusedMessageError as error:
        assert any(found.refuses for found in error.findings)  # noqa: PT017 (the promise covers both ways)
        return
    assert all(isinstance(message, AgencyMessage) for message in reading.messages)
    for found in reading.refused:
        assert any(finding.refuses for finding in found.findings)
        found.raw.encode()


@given(st.sampled_from(READERS), st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(reader: ListReader, content: bytes) -> None:
    read_or_refused(reader, content)


@given(st.sampled_from(READERS), st.data())
def test_mutated_lists_are_read_or_refused_and_nothing_else(reader: ListReader, data: st.DataObject) -> None:
    mutated = bytearray(data.draw(st.sampled_from(SOUND)))
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(mutated)))
        end = data.draw(st.integers(start, min(len(mutated), start + 20)))
        mutated[start:end] = data.draw(
            st.binary(max_size=8) | st.sampled_from([b"null", b'"\\ud800"', b"[[]]", b"1e9"])
        )
    read_or_refused(reader, bytes(mutated))


@given(st.sampled_from(sorted(ITEM)), anything)
def test_any_value_of_any_field_is_read_or_refused_and_nothing_else(field: str, value: Any) -> None:
    read_or_refused(READERS[0], json.dumps({"code": 0, "data": {"list": [item(**{field: value})]}}).encode())


@given(st.text(alphabet="样例市气象台将和、发布解除升级为暴雨山洪灾害红橙黄蓝色预警信号", max_size=60), anything)
def test_any_title_is_read_or_refused_and_nothing_else(title: str, earlier: Any) -> None:
    read_or_refused(READERS[1], titled(title, earlier=earlier))
