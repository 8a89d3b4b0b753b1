"""Everything that can be wrong with a gateway's profile or route is told before anything is sent, and by its place."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from adapters.channels.gateway_places import PlaceError, check_places, filled, filled_text, places_in
from adapters.channels.gateway_profiles import (
    GatewaySetupError,
    gateway_profile,
    gateway_profile_from_toml,
    shipped_gateway_profiles,
)
from adapters.channels.gateway_text_rule import TextRule
from adapters.connections import parse_connections
from tests.adapters.channels.gateway_house import definition, route

PROFILE = """
name = "own"
settings = ["account"]

[signing]
scheme = "none"

[request]
path = "/send"

[request.headers]
x-account = "{account}"

[request.fields]
to = "{recipient}"
text = "{text}"

[answer]
code = "code"
accepted = [0]
refused = ["7"]

[receipts]
reference = "id"
state = "state"
delivered = ["1"]
"""


def test_every_shipped_profile_can_be_used() -> None:
    assert shipped_gateway_profiles() == ("aliyun", "plain-json")
    for name in shipped_gateway_profiles():
        assert gateway_profile(name, Path()).name == name


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('"{recipient}"', '"{recipent}"', r"\{recipent\}: there is no such place"),
        ('"{recipient}"', '"{recipient.__class__}"', "a brace stands alone"),
        ('"{recipient}"', '"{recipient!r}"', "a brace stands alone"),
        ('"{recipient}"', '"{0}"', "a brace stands alone"),
        ('"{text}"', '"{text"', "a brace stands alone"),
        ('"{account}"', '"{text}"', r"\{text\}: there is no such place"),
        ('"{account}"', '"{password}"', r"\{password\}: there is no such place"),
        ('["account"]', '["text"]', "text is a place already"),
        ('["account"]', '["Account"]', "settings.0: String should match"),
        ('scheme = "none"', 'scheme = "md5"', "signing.scheme: Input should be"),
        ('scheme = "none"', 'scheme = "aliyun-hmac-sha1"', "signs a query or a form, not JSON"),
        ('path = "/send"', 'path = "send"', "begins with /"),
        ('path = "/send"', 'path = "/send?x=1"', "begins with /"),
        ('path = "/send"', 'path = "/send"\nmethod = "GET"', "a GET has no body"),
        ('path = "/send"', 'path = "/send"\nbody = "none"', "`fields` belong to a body"),
        ('path = "/send"', 'path = "/send"\nbody = "form"\nfields.many = ["a"]', None),
        ("x-account", "Host", "not the profile's to set"),
        ("x-account", '"x account"', "request.headers"),
        ('refused = ["7"]', "refused = [0]", "0: stands in two lists"),
        ('code = "code"\n', "", "`code` and `accepted` are given together"),
        ('code = "code"', 'code = "a..b"', "answer.code: String should match"),
        ('refused = ["7"]', "refused_statuses = [200]", "200: stands in two lists"),
        ('delivered = ["1"]', "delivered = []", "receipts.delivered"),
        ('state = "state"\n', "", "receipts.state: Field required"),
        ('name = "own"', 'name = "own"\nanswers = 1', "answers: Extra inputs"),
        ("[receipts]", "[callback]\nproof = 'none'\n[receipts]", "callback.proof: Input should be"),
        ("[receipts]", "[text]\npieces = 3\n[receipts]", "`pieces` need a `longest_piece`"),
        ("[receipts]", "[[poll]]\nholds = 'messages'\nrequest = {}\n[receipts]", "how messages are read is not"),
        ("[receipts]", "[[poll]]\nholds = 'receipts'\nid = 'x'\nrequest = {}\n[receipts]", "are given together"),
        ("[receipts]", "[receipts]\nzone = 'Mars/Base'", "Mars/Base is not a time zone"),
        ("[request]", "[request", "not TOML"),
    ],
)
def test_a_defect_is_told_with_its_place(before: str, after: str, problem: str | None) -> None:
    assert PROFILE.count(before) >= 1
    if problem is None:
        problem = "not TOML|the fields of a form are single values"
    with pytest.raises(GatewaySetupError, match=problem):
        gateway_profile_from_toml(PROFILE.replace(before, after, 1), "own.toml")


def test_a_profile_as_it_stands_is_taken() -> None:
    profile = gateway_profile_from_toml(PROFILE, "own.toml")
    assert profile.answer.accepted == {"0"}, "numbers and words are compared as words"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"settings": {}}, "settings: account is needed by the profile own"),
        ({"settings": {"account": "a", "other": "b"}}, r"settings: the profile own has no place \{other\}"),
        ({"secret_file": "missing"}, "secret_file: missing cannot be read: No such file"),
        ({"ca_file": "callback"}, "ca_file: callback holds no certificate"),
        ({"profile": "ali"}, "there is no 'ali'; shipped are aliyun, plain-json"),
        ({"profile": "none.toml"}, "none.toml cannot be read"),
        ({"template_params": {"a": "{recipient}"}}, r"template_params.a: \{recipient\}: there is no such place"),
        (
            {"text": {"pieces": 2, "longest_piece": 5}, "profile": "aliyun", "template_params": {"a": "{text_1}"}},
            "the pieces text_2 of the text stand nowhere",
        ),
    ],
)
def test_a_route_that_does_not_fit_its_profile_is_not_set_up(
    tmp_path: Path, changed: dict[str, Any], problem: str
) -> None:
    (tmp_path / "own.toml").write_text(PROFILE, encoding="utf-8")
    with pytest.raises(GatewaySetupError, match=problem):
        route(tmp_path, "https://gateway.example", **({"profile": "own.toml", "settings": {"account": "a"}} | changed))


def test_a_secret_that_is_none_and_one_that_is_short_are_told_and_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff\xfe-very-secret\n")
    (tmp_path / "short").write_bytes(b"guess-me\n")
    with pytest.raises(GatewaySetupError) as found:
        route(tmp_path, "https://gateway.example", secret_file="bad", callback_secret_file="short")
    assert len(found.value.problems) == 2
    assert "very-secret" not in str(found.value)
    assert "guess-me" not in str(found.value)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://gateway.example",
        "https://",
        "https://user:word@gateway.example",
        "https://gateway.example?x=1",
        "https://gateway.example/{text}",
        "https://gate way.example",
        "https://0x7f.1",
        "https://网关.example",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        definition(url)


def test_a_secret_in_the_document_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="secret"):
        definition("https://gateway.example", secret="abc")


def test_every_example_of_the_document_can_be_used() -> None:
    text = Path("docs/gateways.md").read_text(encoding="utf-8")
    kinds: set[str] = set()
    profiles = 0
    for block in (part.split("```", 1)[0] for part in text.split("```toml\n")[1:]):
        document = tomllib.loads(block)
        if "channels" in document:
            kinds |= {one.kind for one in parse_connections(block).channels}
        elif "name" in document:
            profiles += bool(gateway_profile_from_toml(block, "docs/gateways.md"))
        else:
            TextRule.model_validate(document["text"])
    assert kinds == {"gateway", "carriers", "screen"}
    assert profiles == 1


NAMES = st.sampled_from(["text", "id", "level"])
WORDS = st.text(max_size=20)


@given(st.lists(st.tuples(st.booleans(), NAMES, WORDS), max_size=8), st.dictionaries(NAMES, WORDS, min_size=3))
def test_places_are_filled_once_and_all_else_stays_as_it_is(
    parts: list[tuple[bool, str, str]], values: dict[str, str]
) -> None:
    """Whatever the values hold, braces and places among it."""
    written = "".join(
        f"{{{name}}}" if is_place else word.replace("{", "{{").replace("}", "}}") for is_place, name, word in parts
    )
    due = "".join(values[name] if is_place else word for is_place, name, word in parts)
    assert filled_text(written, dict(values)) == due
    assert places_in(written) == {name for is_place, name, _ in parts if is_place}
    assert filled({"b": [1, None, True]}, dict(values)) == {"b": [1, None, True]}


@given(st.text(alphabet="{}abc.!_[]:0 ", max_size=30))
def test_a_text_is_refused_or_its_places_are_plain_names(text: str) -> None:
    try:
        found = places_in(text)
    except PlaceError:
        return
    assert all(name.isidentifier() and name == name.lower() for name in found)
    if found:
        with pytest.raises(PlaceError):
            check_places(text, frozenset())


def test_a_text_that_is_one_place_keeps_what_the_value_is() -> None:
    values: dict[str, JsonValue] = {"repeated": True, "seconds": 90, "none": None}
    tree: JsonValue = {"a": "{repeated}", "b": "{seconds}", "c": "{none}", "d": "{repeated} {seconds}{none}"}
    assert filled(tree, values) == {"a": True, "b": 90, "c": None, "d": "true 90"}
