"""A made-up city's month, and its report in words of both languages; names in it are as bad as names can be."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from adapters.bench.p5_events import City
from adapters.reports.blocks import Document
from adapters.reports.composing import document_of
from adapters.reports.words import Words
from adapters.store.sqlite_log import SqliteEventLog
from projections.monthly.values import MonthlyReport
from projections.monthly_report import monthly_report
from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import write_policy

NOW = datetime(2026, 9, 1, tzinfo=UTC)
BAD_NAME = '<script>alert("1")</script> & <b> \x01 https://evil.example/'


@pytest.fixture(scope="session")
def city() -> City:
    made = City(Random(4), pauses_seconds=(0, 20, 600, 7200))
    for _ in range(300):
        made.step()
    return made


@pytest.fixture(scope="session")
def report(city: City, tmp_path_factory: pytest.TempPathFactory) -> MonthlyReport:
    log = SqliteEventLog(tmp_path_factory.mktemp("log") / "events.sqlite")
    try:
        log.append(city.events)
        return monthly_report(log, "2026-07", policy=city.policy, now=NOW)
    finally:
        log.close()


def words_of(city: City, language: str) -> Words:
    return Words(language, city.policy, {"110101": BAD_NAME, "110102": "西城区"})


@pytest.fixture(params=["zh-CN", "en"])
def document(request: pytest.FixtureRequest, city: City, report: MonthlyReport) -> Document:
    return document_of(report, words_of(city, request.param))


@pytest.fixture
def outlet(tmp_path: Path) -> Outlet:
    return Outlet(tmp_path, write_policy(tmp_path / "policy"))
