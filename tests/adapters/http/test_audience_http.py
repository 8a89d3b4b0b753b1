"""Agencies ask who would be told: counts that are what is then planned, for who has a key, and nothing is sent."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from adapters.clocks import ManualClock
from adapters.http.app import OutletApp, create_app
from adapters.http.audience import audience_router
from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.server import serving
from adapters.http.settings import HttpSettings, Rate
from adapters.http.subscriptions import subscriptions_router
from adapters.links import links_in
from adapters.subscriptions.desk import subscription_desk
from adapters.vault.vault import Person
from domain.levels import Level
from domain.recipients import ChannelKind
from domain.telling_events import TellingPlanned
from tests.adapters.audience.logs import AudienceLog, recipient
from tests.adapters.http.outlets import GENEROUS, Outlet, problem, tighter
from tests.adapters.http.test_signatures import Signer
from tests.adapters.sending.house import Town
from tests.adapters.subscriptions.office import SMS, wanted
from tests.streams.messages import cap

DISTRICT = "330604"
PEOPLE = [
    recipient(1, DISTRICT, role="commander"),
    recipient(2, f"{DISTRICT}001", role="watcher", channels=(ChannelKind.EMAIL,)),
    recipient(3, f"{DISTRICT}001", role="watcher", level_min=Level.RED),
    recipient(4, DISTRICT, role="warden", hazards=("11B01",)),
    recipient(5, "330683", role="commander"),
]
ASKED = {"hazard": "11B03", "level": "orange", "areas": [DISTRICT, "330683"]}


@dataclass
class Asking:
    """A town that agencies ask, with everything else as `outlet run` serves it."""

    town: Town
    outlet: Outlet

    def about(self, key: str | None = None, **words: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key or self.outlet.key()}"}
        return self.outlet.client.post("/v1/audience", json={**ASKED, **words}, headers=headers)

    def of(self, warning_id: str, key: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key or self.outlet.key()}"}
        return self.outlet.client.get(f"/v1/warnings/{warning_id}/audience", headers=headers)

    def newest_plan(self) -> TellingPlanned:
        return self.town.plans()[-1][1]


@contextmanager
def asking_at(folder: Path, settings: HttpSettings = GENEROUS) -> Iterator[Asking]:
    with ExitStack() as stack:
        town = Town(folder)
        stack.callback(town.close)
        assert isinstance(town.clock, ManualClock)
        keys = stack.enter_context(AgencyKeys(folder / FILE_NAME))
        desk = stack.enter_context(subscription_desk(town.platform, town.vault, links_in(folder)))
        routers = [audience_router(town.platform, keys, settings), subscriptions_router(desk)]
        app: OutletApp = create_app(town.platform, keys, settings=settings, routers=routers)
        stack.callback(app.shut)
        at = stack.enter_context(serving(app, "127.0.0.1", 0, settings))
        client = stack.enter_context(httpx.Client(base_url=at.url, timeout=30, trust_env=False))
        town.vault.enter([Person("", ()) for _ in PEOPLE])  # so that nobody else is given their numbers
        AudienceLog(folder, town.platform.log).roster("duty", PEOPLE)
        yield Asking(town, Outlet(town.platform, town.clock, keys, app, at, client))


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    with asking_at(tmp_path / "data") as opened:
        yield opened


def assert_planned(district: dict[str, Any], plan: TellingPlanned) -> None:
    assert district["code"] == plan.district
    assert district["by_role"] == plan.by_role
    assert district["by_channel"] == {kind.value: count for kind, count in plan.by_channel.items()}
    assert district["people"] == sum(send.count for send in plan.sends)
    told = [([(i.hazard, i.kind.value, i.level.value) for i in send.items], send.count) for send in plan.sends]
    said = [([(i["hazard"], i["kind"], i["level"]) for i in s["items"]], s["people"]) for s in district["sends"]]
    assert said == told
    withheld = sorted((one["hazard"], one["reason"], one["people"]) for one in district["withheld"])
    assert withheld == sorted((one.hazard, one.reason.value, one.count) for one in plan.withheld)


def test_what_is_answered_is_what_is_then_planned_at_every_step(asking: Asking) -> None:
    before: list[tuple[str, float]] = []
    for turn, (name, level, code) in enumerate(
        [("a", "yellow", DISTRICT), ("b", "orange", DISTRICT), ("c", "orange", f"{DISTRICT}001")]
    ):
        [said] = asking.about(level=level, areas=[code]).json()["districts"]
        kind = "Update" if before else "Alert"
        message = cap(name, minutes=turn * 10, kind=kind, level=level, codes=(code,), references=tuple(before))
        asking.town.deliver(message, minutes=turn * 10)
        asking.town.wait_until(turn * 10 + 5)  # past the window in which changes are grouped
        assert_planned(said, asking.newest_plan())
        before = [(name, turn * 10)]


def test_a_warning_that_is_held_is_asked_about_before_it_is_released(asking: Asking) -> None:
    asking.town.deliver(cap("a", level="yellow"), minutes=0)
    asking.town.wait_until(5)
    warning_id = asking.newest_plan().warning_id
    asking.town.deliver(cap("b", level="yellow", codes=("330604001",), hazard="11B01"), minutes=10)
    plans = len(asking.town.plans())
    said = asking.of(warning_id).json()["districts"][0]
    assert len(asking.town.plans()) == plans, "it is still grouped"
    asking.town.wait_until(15)
    assert len(asking.town.plans()) == plans + 1
    assert_planned(said, asking.newest_plan())


def test_a_subscriber_counts_from_their_confirmation_on(asking: Asking) -> None:
    before = asking.about().json()
    folder = asking.town.folder
    with subscription_desk(asking.town.platform, asking.town.vault, links_in(folder)) as desk:
        now = asking.town.clock.now()
        accepted = desk.ask(SMS, wanted(DISTRICT), now)
        assert asking.about().json() == before
        desk.confirm(accepted.id, now)
    after = asking.about().json()
    assert after["people"] == before["people"] + 1
    assert after["by_role"] == {**before["by_role"], "subscriber": 1}


def test_counts_stand_by_district_and_together_and_name_nobody(asking: Asking) -> None:
    answer = asking.about().json()
    assert [(one["code"], one["people"]) for one in answer["districts"]] == [(DISTRICT, 2), ("330683", 1)]
    assert answer["people"] == 3
    assert answer["by_role"] == {"commander": 2, "watcher": 1}
    assert answer["by_channel"] == {"email": 1, "sms": 2}
    assert answer["by_reason"] == {"below-their-level": 1, "not-their-hazard": 1}
    assert asking.about(mode="drill").json()["people"] == 0


def test_asking_changes_nothing(asking: Asking) -> None:
    asking.town.deliver(cap("a"), minutes=0)
    asking.town.wait_until(5)
    head = asking.town.platform.log.head()
    assert asking.about().status_code == 200
    assert asking.of(asking.newest_plan().warning_id).status_code == 200
    assert asking.town.platform.log.head() == head


def test_only_an_agency_of_the_policy_with_a_key_may_ask(asking: Asking) -> None:
    problem(asking.outlet.client.post("/v1/audience", json=ASKED), "no-key", 401)
    problem(asking.about("outlet_0123456789ab_none"), "unknown-key", 401)
    problem(asking.about(asking.outlet.key("stranger")), "forbidden", 403)
    problem(asking.outlet.client.get("/v1/warnings/x/audience"), "no-key", 401)
    assert asking.about(asking.outlet.key("water")).status_code == 200


def test_guessing_keys_is_slower_than_asking(tmp_path: Path) -> None:
    settings = tighter(address_rate=Rate(per_second=1, burst=1_000), refused_key_cost=500.0)
    with asking_at(tmp_path / "data", settings) as asking:
        answers = [asking.about("outlet_0123456789ab_none").status_code for _ in range(4)]
        assert answers[0] == 401
        assert answers[-1] == 429


def test_an_agency_that_signs_must_sign_its_questions_and_each_is_answered_once(asking: Asking) -> None:
    signer = Signer(asking.outlet)
    problem(asking.about(asking.outlet.key("meteorology")), "unsigned", 401)
    content = b'{"hazard": "11B03", "level": "orange", "areas": ["330604"]}'
    own = {"X-Api-Key": signer.key, "Content-Type": "application/json"}
    headers = {**signer.headers(content), **own}
    assert asking.outlet.client.post("/v1/audience", content=content, headers=headers).status_code == 200
    problem(asking.outlet.client.post("/v1/audience", content=content, headers=headers), "replayed", 409)
    altered = content.replace(b"orange", b"yellow")
    headers = {**signer.headers(content, "msg_2"), **own}
    problem(asking.outlet.client.post("/v1/audience", content=altered, headers=headers), "bad-signature", 401)
    assert asking.outlet.client.post("/v1/audience", content=content, headers=headers).status_code == 200
    nothing = {**signer.headers(b"", "msg_3"), **own}
    problem(asking.outlet.client.get("/v1/warnings/none/audience", headers=nothing), "not-found", 404)
    problem(asking.outlet.client.get("/v1/warnings/none/audience", headers=nothing), "not-found", 404)


@pytest.mark.parametrize(
    ("words", "path", "code"),
    [
        ({"areas": []}, "/areas", "value"),
        ({"areas": ["330604", "110000"]}, "/areas[2]", "outside"),
        ({"hazard": "XX"}, "/hazard", "unknown-hazard"),
        ({"level": "purple"}, "/level", "value"),
        ({"everyone": True}, "/everyone", "value"),
    ],
)
def test_what_cannot_be_asked_is_refused(asking: Asking, words: dict[str, Any], path: str, code: str) -> None:
    found = problem(asking.about(**words), "bad-request", 400)
    assert found["code"] == "audience"
    assert {(one["path"], one["code"]) for one in found["findings"]} == {(path, code)}


def test_a_warning_that_does_not_stand_has_no_audience(asking: Asking) -> None:
    assert problem(asking.of("no-such-warning"), "not-found", 404)["code"] == "no-warning"


def test_every_documented_answer_and_example_is_true(asking: Asking) -> None:
    document = asking.outlet.client.get("/openapi.json").json()
    said = document["paths"]["/v1/audience"]["post"]
    shape = said["responses"]["200"]["content"]["application/json"]
    asked = said["requestBody"]["content"]["application/json"]["example"]
    for answer in (asking.about(**asked).json(), shape["example"]):
        jsonschema_rs.validator_for({**shape["schema"], "components": document["components"]}).validate(answer)
