"""Descriptions of mail routes: what is refused before anything is connected."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.channels.definition_mail import MailDefinition
from adapters.channels.mail_opening import MailSetupError, mail_channel, unsubscribe_key

PLAIN = {"id": "mail", "host": "mx.outlet.example", "sender": "warnings@outlet.example"}


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465)])
def test_the_usual_port_goes_with_the_protection(security: str, port: int) -> None:
    assert MailDefinition.model_validate({**PLAIN, "security": security}).server_port == port
    assert MailDefinition.model_validate({**PLAIN, "security": security, "port": 2525}).server_port == 2525


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"security": "none"}, "plain_smtp"),
        ({"security": "none", "plain_smtp": True, "username": "a", "password_file": "p"}, "unprotected"),
        ({"security": "none", "plain_smtp": True, "ca_file": "ca.pem"}, "ca_file"),
        ({"username": "a"}, "password_file"),
        ({"password_file": "p"}, "username"),
        ({"unsubscribe_url": "https://outlet.example/u/{token}"}, "unsubscribe_key_file"),
        ({"unsubscribe_url": "http://outlet.example/u/{token}", "unsubscribe_key_file": "k"}, "https"),
        ({"unsubscribe_url": "https://outlet.example/u/", "unsubscribe_key_file": "k"}, "token"),
        ({"unsubscribe_url": "https://o.example/>\r\nBcc: a/{token}", "unsubscribe_key_file": "k"}, "ASCII"),
        ({"sender": "outlet"}, "mail address"),
        ({"sender": "预警@outlet.example"}, "ASCII"),
        ({"host": "mx\r\nRSET"}, "pattern"),
        ({"hostname": "a b"}, "pattern"),
        ({"connections": 9}, "8"),
        ({"pasword_file": "p"}, "Extra"),
    ],
)
def test_what_does_not_go_together_is_said(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        MailDefinition.model_validate({**PLAIN, **settings})


def test_mail_goes_unprotected_to_this_machine_or_where_it_is_allowed() -> None:
    for settings in ({"host": "127.0.0.1"}, {"host": "::1"}, {"host": "localhost"}, {"plain_smtp": True}):
        assert MailDefinition.model_validate({**PLAIN, **settings, "security": "none"}).server_port == 25


@pytest.mark.parametrize(
    "settings",
    [
        {"username": "a", "password_file": "missing"},
        {"username": "a", "password_file": "empty"},
        {"unsubscribe_url": "https://outlet.example/u/{token}", "unsubscribe_key_file": "short"},
        {"ca_file": "missing"},
        {"ca_file": "short"},
        {"templates": "missing"},
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, settings: dict[str, Any]) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "short").write_text("too short", encoding="utf-8")
    with pytest.raises(MailSetupError, match=r"missing|empty|short"):
        mail_channel(MailDefinition.model_validate({**PLAIN, **settings}), tmp_path)


def test_a_route_without_unsubscribing_has_no_key(tmp_path: Path) -> None:
    assert unsubscribe_key(MailDefinition.model_validate(PLAIN), tmp_path) == b""
