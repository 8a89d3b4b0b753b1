"""Our schemas of CAP against the official ones: the same verdict on whatever real senders and damage produce."""

import random
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from adapters.cap.schema import schema_of
from adapters.cap.vocabulary import CAP_1_0, CAP_1_1, CAP_1_2
from adapters.xml.safe import namespace_of
from tests.adapters.cap.mutations import alerts, mutations
from tests.adapters.cap.samples import ALERT

FOLDERS = ("cap/valid", "cap/invalid", "edxl")
OFFICIAL = {CAP_1_0: "CAP-v1.0.xsd", CAP_1_1: "CAP-v1.1.xsd", CAP_1_2: "CAP-v1.2.xsd"}
MUTATIONS_AN_ALERT = 60


@pytest.fixture(scope="module")
def official(shared_data: Path) -> dict[str, etree.XMLSchema]:
    return {
        namespace: etree.XMLSchema(etree.fromstring((shared_data / "schema" / name).read_bytes()))
        for namespace, name in OFFICIAL.items()
    }


@cache
def corpus(folder: Path) -> list[etree._Element]:
    return [alert for file in sorted(folder.glob("*")) for alert in alerts(file.read_bytes())]


def _differs(alert: etree._Element, official: dict[str, etree.XMLSchema]) -> str:
    namespace = namespace_of(alert)
    ours, theirs = schema_of(namespace)(alert), official[namespace](alert)
    return "" if ours == theirs else f"ours says {ours}: {etree.tostring(alert, encoding='unicode')}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_our_schemas_judge_every_real_message_as_the_official_ones_do(
    folder: str, shared_data: Path, official: dict[str, etree.XMLSchema]
) -> None:
    found = corpus(shared_data / folder)
    assert found
    assert not [difference for alert in found if (difference := _differs(alert, official))]


@pytest.mark.parametrize("folder", FOLDERS)
def test_our_schemas_judge_damaged_messages_as_the_official_ones_do(
    folder: str, shared_data: Path, official: dict[str, etree.XMLSchema]
) -> None:
    chance = random.Random(folder)
    verdicts = {True: 0, False: 0}
    for alert in corpus(shared_data / folder):
        for changed in mutations(alert, chance, MUTATIONS_AN_ALERT):
            assert not _differs(changed, official)
            verdicts[official[namespace_of(changed)](changed)] += 1
    # Damage that always or never hurts would compare nothing.
    assert min(verdicts.values()) > sum(verdicts.values()) / 50


@pytest.mark.parametrize("namespace", OFFICIAL)
def test_our_schemas_judge_a_full_message_in_every_version_as_the_official_ones_do(
    namespace: str, official: dict[str, etree.XMLSchema]
) -> None:
    chance = random.Random(namespace)
    (full,) = alerts(ALERT.replace(CAP_1_2, namespace).encode())
    for changed in mutations(full, chance, 3_000):
        assert not _differs(changed, official)


def test_a_defect_is_told_with_the_place_and_the_values_that_may_stand_there() -> None:
    (alert,) = alerts(ALERT.replace("<severity>Severe", "<severity>Bad").encode())
    schema = schema_of(CAP_1_2)
    assert not schema(alert)
    (entry,) = schema.error_log
    assert entry.path == "/*/*[7]/*[6]"
    assert "'Extreme', 'Severe', 'Moderate', 'Minor', 'Unknown'" in entry.message
