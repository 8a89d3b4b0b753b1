"""Where mails let their readers unsubscribe: the route's own address, else that of this outlet's server."""

from pathlib import Path
from typing import Any

import pytest

from adapters.channels.definition_mail import MailDefinition
from adapters.channels.mail_opening import MailSetupError, mail_channel, own_unsubscribe_key, unsubscribe_keys
from adapters.channels.mail_unsubscribing import recipient_of_token
from adapters.channels.port import Accepted, Outcome
from adapters.links import KEY_NAME
from tests.adapters.channels.mail_samples import letter, run
from tests.adapters.channels.mail_servers import Mailboxes, serving

OWN: dict[str, Any] = {"unsubscribe_url": "https://lists.example/leave/{token}", "unsubscribe_key_file": "key"}
OWN_KEY = "0123456789abcdef" * 4


def route(port: int = 2525, **settings: Any) -> MailDefinition:
    described = {"id": "mail", "host": "127.0.0.1", "port": port, "security": "none", "sender": "w@outlet.example"}
    return MailDefinition.model_validate({**described, **settings})


def link_in_a_mail(folder: Path, public_url: str, **settings: Any) -> str | None:
    """`List-Unsubscribe` of a mail that a real server got."""
    boxes = Mailboxes()

    async def work() -> Outcome:
        async with serving(boxes) as port:
            channel = mail_channel(route(port, **settings), folder, public_url=public_url)
            await channel.open()
            try:
                return await channel.send(letter(number=7))
            finally:
                await channel.close()

    assert isinstance(run(work()), Accepted)
    [mail] = boxes.messages
    assert (mail["List-Unsubscribe"] is None) == (mail["List-Unsubscribe-Post"] is None)
    return str(mail["List-Unsubscribe"]).strip("<>") if mail["List-Unsubscribe"] else None


@pytest.mark.parametrize("public_url", ["https://warnings.example", "http://127.0.0.1:8080", "http://localhost:8080/"])
def test_a_route_without_an_address_of_its_own_unsubscribes_at_this_server(tmp_path: Path, public_url: str) -> None:
    link = link_in_a_mail(tmp_path, public_url)
    assert link is not None
    start, _, token = link.rpartition("/")
    assert start == f"{public_url.rstrip('/')}/u"
    assert recipient_of_token(own_unsubscribe_key(tmp_path), token) == 7
    assert (tmp_path / KEY_NAME).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("public_url", ["", "http://warnings.example"])
def test_where_mail_programs_could_not_unsubscribe_no_mail_says_that_they_can(tmp_path: Path, public_url: str) -> None:
    assert link_in_a_mail(tmp_path, public_url) is None


def test_a_routes_own_address_goes_before_the_servers(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(OWN_KEY, encoding="utf-8")
    link = link_in_a_mail(tmp_path, "https://warnings.example", **OWN)
    assert link is not None
    assert link.startswith("https://lists.example/leave/")
    assert recipient_of_token(OWN_KEY.encode(), link.rpartition("/")[2]) == 7


def test_every_key_that_a_mail_may_have_been_written_with_is_known_once(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(OWN_KEY, encoding="utf-8")
    keys = unsubscribe_keys([route(), route(**OWN), route(**OWN)], tmp_path)
    assert keys == (own_unsubscribe_key(tmp_path), OWN_KEY.encode())


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    (tmp_path / KEY_NAME).write_bytes(b"short")
    with pytest.raises(MailSetupError, match=KEY_NAME):
        mail_channel(route(), tmp_path, public_url="https://warnings.example")
