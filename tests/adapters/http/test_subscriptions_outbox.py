"""The whole way: from the form over the outbox to a spooled message, and with what stands in it back again."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from adapters.sending.service import SPOOL_FOLDER, sending
from adapters.subscriptions.desk import Ended
from streams.intake import Delivery
from tests.adapters.http.subscribing import Counter, counter_at
from tests.adapters.sending.house import QUICK, until
from tests.adapters.subscriptions.office import MAIL, PHONE, PUBLIC_URL
from tests.streams.messages import cap


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with counter_at(tmp_path / "data") as opened:
        yield opened


def spooled(counter: Counter, suffix: str) -> list[Path]:
    """What was handed over so far."""
    folder = counter.office.platform.settings.data_dir / SPOOL_FOLDER
    return sorted(folder.rglob(f"*{suffix}"), key=lambda path: path.stat().st_mtime_ns)


def test_the_code_of_a_spooled_text_message_confirms_and_the_warning_follows(counter: Counter) -> None:
    platform, office = counter.office.platform, counter.office
    with sending(platform, links=office.links, pace=QUICK):
        identifier = counter.asked()
        until(lambda: len(spooled(counter, ".sms")) == 1)
        [message] = spooled(counter, ".sms")
        text = message.read_text(encoding="utf-8")
        assert PHONE in text
        [code] = re.findall(r"验证码是([0-9]{6})，", text)
        [link] = re.findall(rf"{re.escape(PUBLIC_URL)}(/s/[A-Za-z0-9_-]+)", text)
        assert counter.client.get(link).status_code == 200
        assert counter.confirm(identifier, code).status_code == 200
        platform.runner.submit([Delivery(content=cap("a", level="red"), agency=None, source="test")])
        platform.runner.pump()
        until(lambda: len(spooled(counter, ".sms")) == 2)
    assert PHONE in spooled(counter, ".sms")[1].read_text(encoding="utf-8")


def test_a_reply_with_the_code_from_the_message_confirms_and_a_wish_to_leave_ends(counter: Counter) -> None:
    office = counter.office
    with sending(office.platform, links=office.links, pace=QUICK):
        identifier = counter.asked()
        until(lambda: len(spooled(counter, ".sms")) == 1)
    [code] = re.findall(r"验证码是([0-9]{6})，", spooled(counter, ".sms")[0].read_text(encoding="utf-8"))
    number = office.number_of(identifier)
    assert office.desk.confirm_by_reply([number], f"{code[:3]} {code[3:]}", office.now)
    assert office.everyone() == [number]
    assert office.desk.end_by_reply([number], office.now)
    assert office.desk.ending(number, office.now) is Ended.NOTHING_STOOD


def test_the_link_of_a_spooled_mail_confirms(counter: Counter) -> None:
    office = counter.office
    with sending(office.platform, links=office.links, pace=QUICK):
        counter.asked(telephone="", email=MAIL, language="en")
        until(lambda: len(spooled(counter, ".eml")) == 1)
    mail = message_from_bytes(spooled(counter, ".eml")[0].read_bytes(), policy=policy.default)
    assert mail["To"] == MAIL
    part = mail.get_body(("plain",))
    assert part is not None
    [link] = re.findall(rf"{re.escape(PUBLIC_URL)}(/s/[A-Za-z0-9_-]+)", part.get_content())
    assert office.everyone() == []
    assert counter.client.post(link, data={"do": "confirm"}).status_code == 303
    assert len(office.everyone()) == 1


def test_nothing_that_waited_is_handed_to_who_has_left(counter: Counter) -> None:
    platform, office = counter.office.platform, counter.office
    number, path = counter.subscribed()
    waiting = counter.asked(telephone="+8613800000078")
    platform.runner.submit([Delivery(content=cap("a", level="red"), agency=None, source="test")])
    platform.runner.pump()
    assert counter.client.post(path, data={"do": "end"}).status_code == 200
    assert office.vault.person(number) is None
    with sending(platform, links=office.links, pace=QUICK):
        until(lambda: any("+8613800000078" in one.read_text(encoding="utf-8") for one in spooled(counter, ".sms")))
        last = counter.asked(telephone="+8613800000079")
        until(lambda: any("+8613800000079" in one.read_text(encoding="utf-8") for one in spooled(counter, ".sms")))
    assert waiting != last
    assert all(PHONE not in one.read_text(encoding="utf-8") for one in spooled(counter, ".sms"))
