"""One outlet is the parent of another: what the city releases, the province has in force."""

from pathlib import Path
from typing import Any

import pytest

from adapters.push.target import Delivered, TryAgain
from domain.events import MessageAccepted
from domain.messages import MessageType, Mode
from projections.passing_up import documents_at
from tests.adapters.http.outlets import Outlet, outlet_at
from tests.adapters.upward.desk import a_chain, deliver, hand_over, levels, opened, parent, releases
from tests.streams.messages import at, cap

FORMS: list[dict[str, Any]] = [{"form": "cn12379"}, {"form": "cn12379", "zip": True}, {"form": "cap"}]


def upward(province: Outlet, folder: Path, **entry: Any) -> Any:
    """A parent entry that posts to this outlet as the agency `emergency`."""
    folder.mkdir(exist_ok=True)
    (folder / "province.key").write_text(province.key("emergency"))
    url = f"{province.at.url}/v1/agencies/emergency/messages"
    return parent(by="http", url=url, key_file="province.key", **entry)


def settled(province: Outlet, minutes: float) -> dict[str, dict[str, str]]:
    province.platform.advance(at(minutes))
    province.platform.runner.pump()
    return levels(province.platform)


def accepted(province: Outlet) -> list[MessageAccepted]:
    return [one.event for one in province.platform.log.read() if isinstance(one.event, MessageAccepted)]


@pytest.mark.parametrize("form", FORMS)
def test_hazards_and_levels_of_every_district_are_the_same_above(tmp_path: Path, form: dict[str, Any]) -> None:
    with outlet_at(tmp_path / "above") as province, opened(tmp_path / "city") as city:
        a_chain(city, cancel=False)
        deliver(city, cap("water-1", agency="water", hazard="11A01", level="red", codes=("330602", "330604")), 12)
        outcomes = hand_over(city, upward(province, tmp_path / "city", **form))
        assert all(isinstance(outcome, Delivered) for outcome in outcomes)
        assert settled(province, 20) == levels(city) != {}
        assert {one.state.value for one in documents_at(city.tables, "province")} == {"accepted"}


@pytest.mark.parametrize("form", FORMS)
def test_alert_update_and_cancel_arrive_in_order_with_their_references(tmp_path: Path, form: dict[str, Any]) -> None:
    with outlet_at(tmp_path / "above") as province, opened(tmp_path / "city") as city:
        a_chain(city)
        hand_over(city, upward(province, tmp_path / "city", **form))
        messages = [event.message for event in accepted(province)]
        assert [one.message_type for one in messages] == [MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL]
        first = messages[0].identifier
        assert all(first in {reference.identifier for reference in one.references} for one in messages[1:])
        assert settled(province, 20) == levels(city) == {}


def test_signed_requests_are_taken_and_a_repetition_counts_as_accepted(tmp_path: Path) -> None:
    with outlet_at(tmp_path / "above") as province, opened(tmp_path / "city") as city:
        a_chain(city, cancel=False)
        secret = province.keys.add_signing_secret("emergency", province.clock.now()).secret
        (tmp_path / "city" / "province.secret").write_text(secret)
        province.clock.set(city.clock.now())
        definition = upward(province, tmp_path / "city", form="cn12379", secret_file="province.secret")
        assert all(isinstance(one, Delivered) for one in hand_over(city, definition))
        again = definition.model_copy(update={"id": "again"})
        assert all(isinstance(one, Delivered) for one in hand_over(city, again))
        assert {one.error_code for one in documents_at(city.tables, "again")} == {"replayed"}
        assert len(accepted(province)) == len(releases(city))


def test_a_refused_document_is_recorded_with_code_and_words_and_not_repeated(tmp_path: Path) -> None:
    with outlet_at(tmp_path / "above") as province, opened(tmp_path / "city") as city:
        a_chain(city, cancel=False)
        # Meteorology may not speak under the sender code of the outlet.
        definition = upward(province, tmp_path / "city", form="cn12379")
        (tmp_path / "city" / "province.key").write_text(province.key("meteorology"))
        definition = definition.model_copy(update={"url": definition.url.replace("emergency", "meteorology")})
        assert all(isinstance(one, Delivered) for one in hand_over(city, definition))
        found = documents_at(city.tables, "province")
        assert {one.state.value for one in found} == {"refused"}
        assert all(one.error_code and one.note for one in found)
        before = len(province.topics())
        assert {one.note for one in hand_over(city, definition) if isinstance(one, Delivered)} == {"handed over before"}
        assert len(province.topics()) == before


def test_a_wrong_key_loses_nothing(tmp_path: Path) -> None:
    with outlet_at(tmp_path / "above") as province, opened(tmp_path / "city") as city:
        a_chain(city, cancel=False)
        definition = upward(province, tmp_path / "city", form="cap")
        (tmp_path / "city" / "province.key").write_text("nonsense")
        outcomes = hand_over(city, definition)
        assert all(isinstance(one, TryAgain) and "401" in one.reason for one in outcomes)
        (tmp_path / "city" / "province.key").write_text(province.key("emergency"))
        assert all(isinstance(one, Delivered) for one in hand_over(city, definition))
        assert settled(province, 20) == levels(city)


def test_drills_and_live_warnings_never_take_each_others_way(tmp_path: Path) -> None:
    with opened(tmp_path / "city") as city:
        deliver(city, cap("drill", status="Exercise"), 1)
        deliver(city, cap("live"), 4)
        live = parent(form="cap", by="folder", folder="live")
        drill = parent(form="cap", by="folder", folder="drill", mode="drill").model_copy(update={"id": "drill"})
        hand_over(city, live)
        hand_over(city, drill)
        for name, mode in (("live", Mode.LIVE), ("drill", Mode.DRILL)):
            sent = {path.read_text() for path in (tmp_path / "city" / name).iterdir()}
            assert sent == {one.release.cap for one in releases(city) if one.release.mode is mode} != set()
