"""A warning's releases in their forms: what went out stays what it was, byte for byte."""

import zipfile
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.cap.reader import CapReader
from adapters.clocks import ManualClock
from adapters.cn12379.reader import Cn12379Reader
from adapters.settings import Settings
from adapters.wiring import build
from domain.levels import Level
from domain.messages import MessageType
from tests.adapters.http.public.conftest import Desk, Served, serving
from tests.adapters.http.public.samples import FLOOD, POLICY, RAIN, START, WATER, at, cap, reference, write_policy


@pytest.fixture
def warning_id(desk: Desk) -> str:
    """A warning of two releases: rain, and then a flood beside it."""
    desk.deliver(cap("r1", level="orange"), minutes=0)
    desk.deliver(cap("f1", hazard=FLOOD, sender=WATER, minutes=5), minutes=5)
    return desk.newest().warning_id


def test_the_cap_document_is_the_frozen_one_byte_for_byte(desk: Desk, served: Served, warning_id: str) -> None:
    path = f"/v1/warnings/{warning_id}"
    first, second = [event.cap.encode() for _, event in desk.releases()]
    for suffix in (".cap", ".xml"):
        assert served.get(f"{path}/revisions/1{suffix}").content == first
        assert served.get(f"{path}{suffix}").content == second
    for accepted in (
        "application/cap+xml",
        "text/xml;q=0.5",
        "text/html, application/xml;q=0.9, application/zip;q=0.1",
    ):
        answer = served.get(f"{path}/revisions/2", headers={"Accept": accepted})
        assert answer.content == second
        assert answer.headers["vary"] == "Accept"
    assert served.get(f"{path}.cap").headers["content-type"] == "application/cap+xml"
    [message] = CapReader().read(second)
    assert message.identifier == desk.newest().identifier


def test_a_release_is_kept_by_caches_for_ever_and_the_newest_is_not(served: Served, warning_id: str) -> None:
    for suffix in ("", ".json", ".cap", ".12379.zip"):
        frozen = served.get(f"/v1/warnings/{warning_id}/revisions/1{suffix}")
        assert "immutable" in frozen.headers["cache-control"]
        again = served.get(
            f"/v1/warnings/{warning_id}/revisions/1{suffix}", headers={"If-None-Match": frozen.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
        newest = served.get(f"/v1/warnings/{warning_id}{suffix}")
        assert "immutable" not in newest.headers["cache-control"]
        assert newest.headers["content-location"] == f"/v1/warnings/{warning_id}/revisions/2"


def test_a_release_stays_the_same_bytes_after_it_has_expired(desk: Desk, served: Served, warning_id: str) -> None:
    paths = [f"/v1/warnings/{warning_id}/revisions/2{end}" for end in ("", ".cap", ".12379.zip")]
    before = [served.get(path).content for path in paths]
    desk.platform.advance(at(24 * 60))
    assert [served.get(path).content for path in paths] == before
    newest = served.get(f"/v1/warnings/{warning_id}").json()
    assert (newest["message_type"], newest["in_force"], newest["sections"]) == ("Cancel", [], [])


def test_json_says_what_was_released_and_what_it_changed(desk: Desk, served: Served, warning_id: str) -> None:
    said = served.get(f"/v1/warnings/{warning_id}/revisions/2").json()
    event = desk.newest()
    assert said["release"] == 2
    assert [section["hazard"]["code"] for section in said["sections"]] == [RAIN, FLOOD]
    assert [(change["hazard"]["code"], change["kind"]) for change in said["changes"]] == [(FLOOD, "new-hazard")]
    assert said["texts"] == [text.model_dump(mode="json") for text in event.texts]
    assert said["references"] == list(event.references)
    assert served.get(f"/v1/warnings/{warning_id}").json() == {**said, "in_force": [RAIN, FLOOD]}


def test_the_releases_of_a_warning_are_listed_with_their_addresses(served: Served, warning_id: str) -> None:
    said = served.get(f"/v1/warnings/{warning_id}/revisions").json()
    assert [one["release"] for one in said["releases"]] == [1, 2]
    assert [one["level"] for one in said["releases"]] == ["orange", "orange"]
    for one in said["releases"]:
        for link in one["links"].values():
            assert served.get(link).status_code == 200


def test_the_12379_zip_reads_back_as_the_messages_of_what_changed(desk: Desk, served: Served, warning_id: str) -> None:
    answer = served.get(f"/v1/warnings/{warning_id}/revisions/1.12379.zip")
    by_accept = served.get(f"/v1/warnings/{warning_id}/revisions/1", headers={"Accept": "application/zip"})
    assert answer.content == by_accept.content
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        [name] = archive.namelist()
        [message] = Cn12379Reader().read(archive.read(name))
    [(_, first), _] = desk.releases()
    assert name == "33060000000000_20310304160000_11B03_ORANGE_ALERT.XML"
    assert message.identifier == first.section_messages[0].identifier
    assert message.message_type is MessageType.ALERT
    assert message.infos[0].level is Level.ORANGE


def test_a_release_without_a_form_says_why(desk: Desk, served: Served) -> None:
    desk.deliver(cap("u1", hazard="unrest"))
    answer = served.get(f"/v1/warnings/{desk.newest().warning_id}.12379.zip")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-form")
    assert "national event type" in answer.json()["detail"]


def test_what_is_not_there_is_a_problem_that_says_so(served: Served, warning_id: str) -> None:
    unknown = str(uuid4())
    for path, code in (
        (unknown, "no-warning"),
        (f"{unknown}/revisions", "no-warning"),
        (f"{unknown}/revisions/1.cap", "no-warning"),
        (f"{unknown}/explain", "no-warning"),
        (f"{warning_id}/revisions/3", "no-release"),
        (f"{warning_id}/revisions/0", "no-release"),
        (f"{warning_id}/revisions/x.cap", "no-release"),
        (f"{warning_id}/explain?release=9", "no-release"),
    ):
        answer = served.get(f"/v1/warnings/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert served.get(f"/v1/warnings/{warning_id}", headers={"Accept": "image/png"}).status_code == 406
    assert served.get(f"/v1/warnings/{warning_id}", headers={"Accept": "*/*;q=0"}).status_code == 406


@pytest.mark.parametrize("path", ["", "/revisions", "/revisions/1", "/explain"])
def test_an_unknown_parameter_is_refused_everywhere(served: Served, warning_id: str, path: str) -> None:
    assert served.get(f"/v1/warnings/{warning_id}{path}?reserved=1").status_code == 400
    assert served.get("/v1/feed.atom?hazard=11B03").status_code == 400


def test_an_explanation_names_every_agency_and_rule_in_the_language_asked_for(
    desk: Desk, served: Served, warning_id: str
) -> None:
    desk.deliver(cap("r2", level="yellow", sender=WATER, minutes=6), minutes=6)
    english = served.get(f"/v1/warnings/{warning_id}/explain?lang=en").json()
    chinese = served.get(f"/v1/warnings/{warning_id}/explain?lang=zh").json()
    rain = english["sections"][0]
    assert [source["identifier"] for source in rain["sources"]] == ["r1", "r2"]
    assert all(source["received"] and source["raw_sha256"] for source in rain["sources"])
    assert any("Weather Service: orange > Water Board: yellow" in one["sentence"] for one in rain["applied"])
    assert any("气象局橙色" in one["sentence"] for one in chinese["sections"][0]["applied"])
    assert [one["release"] for one in english["releases"]] == [1, 2, 3]
    assert english["releases"][1]["changes"] == ["Flood: entered (yellow)"]
    first = served.get(f"/v1/warnings/{warning_id}/explain?release=1").json()
    assert (first["release"], first["language"]) == (1, "en")
    assert [section["hazard"]["code"] for section in first["sections"]] == [RAIN]
    assert served.get(f"/v1/warnings/{warning_id}/explain?lang=fr").status_code == 400


def test_after_a_cancel_the_next_warning_counts_its_releases_anew(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1"), minutes=0)
    desk.deliver(cap("r2", kind="Cancel", minutes=5, references=reference("r1")), minutes=5)
    desk.deliver(cap("r3", level="orange", minutes=9), minutes=9)
    first, cancel, second = [event for _, event in desk.releases()]
    assert first.warning_id == cancel.warning_id != second.warning_id
    assert served.get(f"/v1/warnings/{second.warning_id}/revisions/1.cap").content == second.cap.encode()
    assert served.get(f"/v1/warnings/{second.warning_id}/revisions/2").status_code == 404
    assert served.get(f"/v1/warnings/{first.warning_id}").json()["in_force"] == []


def test_a_release_keeps_the_words_of_the_policy_it_went_out_under(tmp_path: Path) -> None:
    paths = ["1", "1.cap", "1.12379.zip"]
    answers: list[list[bytes]] = []
    policy = write_policy(tmp_path / "policy")
    warning_id = ""
    for name in ("Heavy rain", "Downpour"):
        policy.write_text(POLICY.replace("Heavy rain", name), encoding="utf-8")
        settings = Settings(data_dir=tmp_path / "data", policy=str(policy))
        with build(settings, clock=ManualClock(START)) as platform, serving(platform) as served:
            if not warning_id:
                Desk(platform).deliver(cap("r1"))
                warning_id = Desk(platform).newest().warning_id
            answers.append([served.get(f"/v1/warnings/{warning_id}/revisions/{path}").content for path in paths])
    assert answers[0] == answers[1]
    assert b"Heavy rain" in answers[1][0]


def test_a_store_that_cannot_be_read_is_answered_as_such(desk: Desk, served: Served, warning_id: str) -> None:
    desk.platform.log.close()
    for path in ("/v1/warnings", f"/v1/warnings/{warning_id}", "/v1/feed.atom", "/v1/stream"):
        answer = served.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert "retry-after" in answer.headers


def test_a_lowered_warning_is_another_release_and_the_first_one_stands(
    desk: Desk, served: Served, warning_id: str
) -> None:
    before = served.get(f"/v1/warnings/{warning_id}/revisions/1").content
    desk.deliver(cap("r2", kind="Update", level="blue", minutes=9, references=reference("r1")), minutes=9)
    assert served.get(f"/v1/warnings/{warning_id}/revisions/1").content == before
    assert served.get(f"/v1/warnings/{warning_id}/revisions/3").json()["changes"][0]["kind"] == "lowered"
