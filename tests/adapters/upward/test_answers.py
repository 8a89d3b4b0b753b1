"""What parents answer over HTTP is told apart: accepted, refused, not now."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cn12379.acknowledgement import acknowledge
from adapters.net.client import Answer
from adapters.upward.answers import LONGEST_NOTE, NoVerdict, Verdict, verdict_of
from domain.findings import Code, refusal


def answered(status: int, body: bytes | dict[str, object] = b"", **headers: str) -> Verdict | NoVerdict:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return verdict_of(Answer(status, headers, content))


def test_our_own_acknowledgements_are_understood() -> None:
    assert answered(200, acknowledge([])) == Verdict(accepted=True)
    refused = answered(200, acknowledge([refusal(Code.EMPTY, "/alert", "It is empty.")]))
    assert refused == Verdict(accepted=False, error_code=Code.EMPTY.value, note="/alert: It is empty.")


@pytest.mark.parametrize("outcome", ["accepted", "duplicate"])
def test_receipts_that_took_it_count_as_accepted_duplicates_included(outcome: str) -> None:
    found = answered(202, {"receipts": [{"outcome": outcome, "notes": [{"sentence": "No zone."}]}]})
    assert found == Verdict(accepted=True, note=f"{outcome}, No zone.")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (204, b""),
        (202, b"OK"),
        (200, b"<html/>"),
        (200, b"<msg>"),
        (200, b"{}"),
        (200, b"[1]"),
        (202, b"{"),
    ],
)
def test_a_bare_success_is_accepted_but_told_by_nobody(status: int, body: bytes) -> None:
    found = answered(status, body)
    assert found == Verdict(accepted=True, note=f"HTTP {status}", is_told=False)


def test_a_problem_document_refuses_with_its_first_code_and_every_sentence() -> None:
    findings = [{"code": "remit", "path": "/a", "sentence": "No."}, {"code": "x", "path": "/b", "sentence": "Nor."}]
    found = answered(422, {"type": "urn:single-outlet:problem:refused", "findings": findings})
    assert found == Verdict(accepted=False, error_code="remit", note="/a: No.\n/b: Nor.")


def test_a_conflicting_copy_is_refused_and_a_replayed_request_was_received() -> None:
    conflicting = answered(409, {"type": "urn:single-outlet:problem:conflicting-copy", "detail": "Other bytes."})
    assert conflicting == Verdict(accepted=False, error_code="conflicting-copy", note="Other bytes.")
    replayed = answered(409, {"type": "urn:single-outlet:problem:replayed", "detail": "Before."})
    assert replayed == Verdict(accepted=True, error_code="replayed", note="Before.")


def test_a_refusing_status_is_believed_before_an_accepting_body() -> None:
    assert answered(422, acknowledge([])) == Verdict(accepted=False, error_code="http-422", note="HTTP 422")


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405, 408, 410, 429, 500, 502, 503])
def test_what_says_nothing_of_the_document_is_tried_again(status: int) -> None:
    assert isinstance(answered(status, acknowledge([refusal(Code.EMPTY, "/", "x")])), NoVerdict)


def test_a_wait_that_the_parent_asks_for_is_kept_within_an_hour() -> None:
    for text, seconds in (("7", 7.0), ("999999", 3_600.0), ("soon", 0.0), ("-1", 0.0), ("²", 0.0)):
        found = answered(503, b"", **{"retry-after": text})
        assert isinstance(found, NoVerdict)
        assert found.after_seconds == seconds


def test_of_several_rows_one_refusal_refuses() -> None:
    refusing = b"<rows><status>1</status><error_code>9</error_code></rows>"
    rows = b"<msg><data><rows><status>0</status></rows>" + refusing + b"</data></msg>"
    assert answered(200, rows) == Verdict(accepted=False, error_code="9")


def test_a_strangers_words_are_cut_and_cannot_play_with_a_terminal() -> None:
    found = answered(422, {"type": "x", "detail": "\x1b[2J\ud800" + "a" * 10_000})
    assert isinstance(found, Verdict)
    assert len(found.note) == LONGEST_NOTE
    assert "\x1b" not in found.note
    found.note.encode()


@given(
    st.integers(100, 599),
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["receipts", "findings", "type", "detail", "outcome", "notes", "code"]), inner
                )
            ),
            max_leaves=8,
        ).map(lambda document: json.dumps(document).encode()),
    ),
)
def test_no_answer_whatever_breaks_the_reading(status: int, body: bytes) -> None:
    assert isinstance(answered(status, body), (Verdict, NoVerdict))
