"""Junk never makes a 5xx and never ends the server: it is refused with a reason."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.cap.json_messages import JsonMessageReader, each_message
from adapters.cap.reader import CapReader
from domain.findings import RefusedMessageError
from tests.adapters.http.messages import as_json, json_message, zipped
from tests.adapters.http.outlets import Outlet, outlet_at
from tests.streams.messages import cap, cn12379

KINDS = ("application/cap+xml", "application/json", "application/zip", "application/octet-stream")
SEEDS = (
    cap("m-1"),
    cn12379("33060041600000_20220913080000"),
    zipped(cn12379("33060041600000_20220913080000")),
    as_json(json_message("m-1")),
    as_json(json_message("m-1"), json_message("m-2")),
)


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outlet]:
    folder: Path = tmp_path_factory.mktemp("junk")
    with outlet_at(folder / "data") as outlet:
        yield outlet


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sound message with some of its bytes changed, cut out or repeated."""
    content = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        content[start:end] = draw(st.one_of(st.binary(max_size=20), st.just(bytes(content[start:end]) * 2)))
    return bytes(content)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=st.one_of(damaged(), st.binary(max_size=200)), kind=st.sampled_from(KINDS))
def test_junk_is_refused_and_never_a_defect(listening: Outlet, content: bytes, kind: str) -> None:
    response = listening.post(content, kind=kind)
    assert response.status_code in {202, 400, 409, 413, 415, 422}, response.text
    assert "internal" not in response.text


NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=10,
)


@given(
    changes=st.dictionaries(st.sampled_from(sorted(json_message("m"))), NESTED, max_size=3),
    inner=st.dictionaries(st.sampled_from(sorted(json_message("m")["info"][0])), NESTED, max_size=3),
)
def test_the_json_reader_returns_messages_or_raises_its_one_error(
    changes: dict[str, object], inner: dict[str, object]
) -> None:
    content = as_json({**json_message("m-1", info=inner), **changes})
    reader = JsonMessageReader(CapReader())
    with contextlib.suppress(RefusedMessageError):
        assert len(reader.read(content)) == 1


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"info":' * 50_000, b"[1e999999]", b"[]", b"[[]]"]
)
def test_json_nested_without_end_is_refused(listening: Outlet, content: bytes) -> None:
    assert listening.post(content, kind="application/json").status_code in {400, 422}


def test_the_bytes_of_each_message_of_an_array_are_unchanged() -> None:
    first, second = b'{ "a" : 1.50, "b":"\\u00e9" }', b'{"c":[]}'
    assert each_message(b" [" + first + b" , " + second + b"]\n") == [first, second]
    assert each_message(first) is None
