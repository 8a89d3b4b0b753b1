"""S3: whatever lies outside an agency's remit is refused with its reason, and nothing of it reaches the public."""

from importlib import resources
from itertools import product
from pathlib import Path

import pytest

from domain.events import MessageAccepted, WarningReleased
from domain.levels import Level
from tests.adapters.http.messages import as_json, json_message
from tests.adapters.http.outlets import Outlet, outlet_at, problem

ONE_LEVEL_ONE_PLACE = """
[[agencies]]
id = "narrow"
names = {{ "zh-CN" = "柯桥区水利局", en = "Keqiao Water" }}
senders = ["narrow@shaoxing.example"]
remit = {{ hazards = ["11A51"], areas = ["330603"], levels = ["blue", "yellow"] }}

{rest}"""

AGENCIES = {
    "natural-resources": "natural-resources@shaoxing.example",
    "water": "water@shaoxing.example",
    "meteorology": "meteorology@shaoxing.example",
    "narrow": "narrow@shaoxing.example",
}


@pytest.fixture
def narrowed(tmp_path: Path) -> Path:
    """The shipped policy with one more agency, which may say little."""
    text = (resources.files("adapters.policies") / "shaoxing.toml").read_text(encoding="utf-8")
    head, mark, rest = text.partition("[gazetteer]")
    path = tmp_path / "policy.toml"
    path.write_text(head + ONE_LEVEL_ONE_PLACE.format(rest=mark) + rest, encoding="utf-8")
    return path


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 23])
def test_every_agency_hazard_level_and_area_outside_the_remit_is_refused_with_its_reason(
    tmp_path: Path, narrowed: Path, every: int
) -> None:
    """All of them take half a minute; without the slow tests, each 23rd is looked at."""
    with outlet_at(tmp_path / "data", policy=str(narrowed)) as outlet:
        policy = outlet.platform.policy
        for agency, sender in AGENCIES.items():
            remit = next(one.remit for one in policy.agencies if one.id == agency)
            batch, reasons = [], []
            for hazard, level, area in product(policy.hazards, Level, ("330603", "330604")):
                expected = set()
                if hazard.code not in remit.hazards:
                    expected.add("remit-hazard")
                if level not in remit.levels:
                    expected.add("remit-level")
                if "*" not in remit.areas and area not in remit.areas:
                    expected.add("remit-area")
                if not expected:
                    continue
                info = {
                    "event": hazard.code,
                    "level": level.value,
                    "eventCode": [{"valueName": "hazard", "value": hazard.code}],
                    "area": [{"areaDesc": area, "geocode": [{"valueName": "CN-GB2260", "value": area}]}],
                }
                batch.append(json_message(f"{agency}-{hazard.code}-{level.value}-{area}", info=info, sender=sender))
                reasons.append(expected)
            check(outlet, agency, batch[::every], reasons[::every])
        assert MessageAccepted.TOPIC not in outlet.topics()
        assert WarningReleased.TOPIC not in outlet.topics()


def check(outlet: Outlet, agency: str, batch: list[dict[str, object]], reasons: list[set[str]]) -> None:
    assert batch
    for start in range(0, len(batch), 500):
        content = as_json(*batch[start : start + 500], whole=True)
        document = problem(outlet.post(content, agency=agency, kind="application/json"), "refused", 422)
        for receipt, expected in zip(document["receipts"], reasons[start : start + 500], strict=True):
            assert receipt["outcome"] == "rejected"
            assert {found["code"] for found in receipt["findings"]} == expected, receipt


def test_an_agency_may_not_speak_for_anothers_sender(outlet: Outlet) -> None:
    message = as_json(json_message("m-1", sender=AGENCIES["water"]))
    document = problem(outlet.post(message, kind="application/json"), "refused", 422)
    assert [found["code"] for found in document["findings"]] == ["remit-sender"]
