"""Screens: what their controller is told is signed, whole and in the documented schema; and what its answers mean."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.channels.gateway_profiles import GatewaySetupError
from adapters.channels.port import Accepted, Later, Letter, Outcome, Refused
from adapters.channels.screen import ScreenChannel, screen_channel
from adapters.channels.screen_definition import ScreenDefinition
from adapters.channels.screen_message import SCHEMA, screen_body
from adapters.channels.smpp_writing import CannotBeSentError
from adapters.clocks import ManualClock
from domain.levels import Level
from domain.messages import Mode
from domain.recipients import ChannelKind
from tests.adapters.channels.gateway_house import LOOPBACK, NOW, TEXT, base_of, letter, sent
from tests.adapters.webhooks.receivers import Reply, Taken, receiving, takes_all

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
DEVICES: list[dict[str, Any]] = [
    {"prefix": "lift-", "duration_seconds": 600},
    {"prefix": "lift-old-", "method": "TV"},
    {"prefix": "horn.", "method": "SPEAKER", "duration_seconds": 120},
]


def definition(url: str = "https://screens.example/v1/show", **changed: Any) -> ScreenDefinition:
    base = {"id": "screens", "url": url, "secret_file": "screens", "devices": DEVICES, "answer_seconds": 5.0}
    return ScreenDefinition.model_validate(base | changed)


def screens(folder: Path, url: str, **changed: Any) -> ScreenChannel:
    (folder / "screens").write_text(SECRET + "\n", encoding="ascii")
    return screen_channel(definition(url, **changed), folder, LOOPBACK, clock=ManualClock(NOW))


def shown(device: str = "lift-7", **changed: Any) -> Letter:
    return letter(address=device, **changed)


def valid(document: object) -> None:
    jsonschema_rs.validator_for(SCHEMA, validate_formats=True).validate(document)


def test_a_screen_is_told_what_to_show_signed_and_in_the_documented_schema(tmp_path: Path) -> None:
    with receiving() as controller:
        channel = screens(tmp_path, base_of(controller) + "/show")
        assert channel.kind is ChannelKind.SCREEN
        outcomes = sent(channel, shown(expires=NOW + timedelta(hours=2)))
    assert outcomes == [Accepted("7-1")]
    [taken] = controller.taken
    assert taken.path == "/show"
    assert taken.id == "7-1"
    assert taken.is_signed_with(SECRET)
    assert taken.document == {
        "id": "7-1",
        "action": "show",
        "device": "lift-7",
        "mode": "live",
        "level": "red",
        "colour": "#FF0000",
        "text": TEXT.body,
        "subject": TEXT.subject,
        "language": "zh-CN",
        "method": "LED",
        "duration_seconds": 600,
        "starts": "2026-09-13T08:00:00+00:00",
        "expires": "2026-09-13T10:00:00+00:00",
        "warning_id": "warning",
        "repeated": False,
    }
    valid(taken.document)


@pytest.mark.parametrize(
    ("device", "method", "seconds"),
    [("lift-7", "LED", 600), ("lift-old-7", "TV", 600), ("horn.1", "SPEAKER", 120), ("square", "LED", 3600)],
)
def test_a_device_is_what_the_longest_prefix_of_its_id_says(device: str, method: str, seconds: int) -> None:
    document = json.loads(screen_body(shown(device), definition(), NOW))
    assert (document["method"], document["duration_seconds"]) == (method, seconds)


def test_nothing_is_shown_for_longer_than_it_holds() -> None:
    document = json.loads(screen_body(shown("square", expires=NOW + timedelta(seconds=90)), definition(), NOW))
    assert document["duration_seconds"] == 90
    with pytest.raises(CannotBeSentError) as found:
        screen_body(shown(expires=NOW + timedelta(milliseconds=500)), definition(), NOW)
    assert found.value.outcome == Later("its content has expired")


def test_an_all_clear_ends_what_is_shown_of_its_warning(tmp_path: Path) -> None:
    clear = replace(shown(), is_all_clear=True)
    with receiving() as controller:
        sent(screens(tmp_path, base_of(controller)), clear, replace(clear, is_all_clear=False))
    assert [one.document["action"] for one in controller.taken] == ["end", "show"]
    for one in controller.taken:
        valid(one.document)


def test_a_repetition_has_the_same_id_and_says_that_it_is_one(tmp_path: Path) -> None:
    with receiving() as controller:
        sent(screens(tmp_path, base_of(controller)), shown(), shown(repeated=True))
    assert {one.id for one in controller.taken} == {"7-1"}
    assert [one.document["repeated"] for one in controller.taken] == [False, True]


def test_drill_and_live_do_not_meet(tmp_path: Path) -> None:
    with receiving() as controller:
        live = sent(screens(tmp_path, base_of(controller)), shown(mode=Mode.DRILL))
        drill = sent(screens(tmp_path, base_of(controller), mode="drill"), shown(), shown(mode=Mode.DRILL))
    assert live == [Refused("screens is a route for live, and this is drill")]
    assert isinstance(drill[0], Refused)
    assert [one.document["mode"] for one in controller.taken] == ["drill"]


@pytest.mark.parametrize("device", ["", "a b", "屏幕", "x" * 101, "a\r\nb", "../x"])
def test_what_is_no_device_is_refused_and_not_repeated(tmp_path: Path, device: str) -> None:
    with receiving() as controller:
        [found] = sent(screens(tmp_path, base_of(controller)), shown(device))
    assert found == Refused("not the id of a device", address_is_dead=True)
    assert controller.taken == []


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(200, {}, b"anything"), Accepted("7-1")),
        (Reply(404), Refused("the gateway answered 404", address_is_dead=True)),
        (
            Reply(422, {}, b'{"reason": "no such method"}'),
            Refused("the gateway answered 422: no such method"),
        ),
        (Reply(401), Later("the gateway answered 401", is_route_down=True)),
        (Reply(503, {"retry-after": "9"}), Later("the gateway answered 503", 9.0, is_route_down=True)),
        (Reply(500), Later("the gateway answered 500", in_doubt=True)),
    ],
)
def test_its_answers_mean_what_they_say(tmp_path: Path, reply: Reply, outcome: Outcome) -> None:
    def answer(_taken: Taken, _count: int) -> Reply:
        return reply

    with receiving(answer) as controller:
        assert sent(screens(tmp_path, base_of(controller)), shown()) == [outcome]


@pytest.mark.parametrize("secret", ["", "plain-words", "whsec_", "whsec_%%%", "whsec_c2hvcnQ="])
def test_a_secret_that_is_none_is_told_and_not_repeated(tmp_path: Path, secret: str) -> None:
    (tmp_path / "screens").write_text(secret + "\n", encoding="ascii")
    with pytest.raises(GatewaySetupError, match="secret") as found:
        screen_channel(definition(), tmp_path, LOOPBACK)
    assert len(secret) < 8 or secret not in str(found.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "SMOKE"},
        {"duration_seconds": 0},
        {"colours": {"red": "red"}},
        {"devices": [{"prefix": "a"}, {"prefix": "a"}]},
        {"devices": [{"prefix": "a b"}]},
        {"secret": "x"},
    ],
)
def test_a_definition_that_cannot_be_meant_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changed))):
        definition(**changed)


@given(
    body=st.text(max_size=50),
    sms=st.text(max_size=50),
    subject=st.text(max_size=50),
    device=st.from_regex(r"[A-Za-z0-9._:-]{1,100}", fullmatch=True),
    level=st.sampled_from(Level),
    seconds=st.none() | st.integers(1, 10**7),
)
def test_whatever_the_words_are_the_message_is_of_the_schema_or_refused(
    body: str, sms: str, subject: str, device: str, level: Level, seconds: int | None
) -> None:
    text = TEXT.model_copy(update={"body": body, "sms": sms, "subject": subject})
    expires = None if seconds is None else NOW + timedelta(seconds=seconds)
    refused: Outcome | None = None
    content = b""
    try:
        content = screen_body(shown(device, text=text, level=level, expires=expires), definition(), NOW)
    except CannotBeSentError as error:
        refused = error.outcome
    if refused is not None:
        assert refused == Refused("a message without words")
        return
    document = json.loads(content)
    valid(document)
    assert not set("\u202e\u2066\x00\x1b") & set(document["text"] + document["subject"])


def in_the_document(what: Callable[[Any], bool]) -> Any:
    text = Path("docs/gateways.md").read_text(encoding="utf-8")
    blocks = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    [found] = [block for block in blocks if what(block)]
    return found


def test_the_schema_and_the_example_of_the_document_are_those_of_the_channel() -> None:
    assert in_the_document(lambda block: "$schema" in block) == SCHEMA
    example = in_the_document(lambda block: "device" in block)
    valid(example)
    for missing in example:
        with pytest.raises(jsonschema_rs.ValidationError):
            valid({name: value for name, value in example.items() if name != missing})


def test_a_controller_that_takes_everything_takes_a_window_of_letters_at_once(tmp_path: Path) -> None:
    with receiving(takes_all) as controller:
        channel = screens(tmp_path, base_of(controller), window=8)
        outcomes = sent(channel, *(shown(id=f"1-{number}") for number in range(channel.window)))
    assert [outcome for outcome in outcomes if not isinstance(outcome, Accepted)] == []
