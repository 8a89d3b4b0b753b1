"""`outlet doctor` on the databases: what it finds in files and on a server, and what it never says."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import update

from adapters.sending.marks import POSITION
from adapters.sending.tables import FILE_NAME, MARKS, METADATA, OUTBOX
from adapters.settings import Settings
from adapters.vault.vault import KEY_NAME, Person, vault_in, vault_of
from adapters.wiring import build
from tests import postgres
from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import cap

NAMES = ["durability", "event log", "policy", "places", "projections", "parked", "outbox", "vault", "clock", "signing"]


@pytest.fixture(params=[pytest.param("postgres", marks=pytest.mark.postgres), "sqlite"])
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str | None]:
    with ExitStack() as stack:
        found = stack.enter_context(postgres.schema()) if request.param == "postgres" else None
        monkeypatch.setenv("OUTLET_DATABASE_URL", found or "")
        yield found


@pytest.fixture
def settings(outlet: Outlet, url: str | None) -> Settings:
    """Of an outlet that has taken a message in."""
    outlet.ingest(cap("a1"), at="2026-01-01T00:00:00+00:00")
    return Settings(data_dir=outlet.data, database_url=url)


def failures(outlet: Outlet) -> dict[str, str]:
    """What fails, but for what the tests' own server leaves out for speed."""
    found = outlet.plain("--data", outlet.data, "doctor", "--json")
    assert found.exit_code in {0, 1}, found.output
    checks = checks_of(outlet, found.exit_code)
    failed = {name: check["detail"] for name, check in checks.items() if not check["ok"]}
    return {name: detail for name, detail in failed.items() if (name, "fsync=off" in detail) != ("durability", True)}


def checks_of(outlet: Outlet, code: int) -> dict[str, dict[str, Any]]:
    return {check["check"]: check for check in outlet.json("doctor", code=code)["checks"]}


def with_outbox_at(settings: Settings, position: int) -> None:
    engine = OUTBOX.opened(settings.data_dir / FILE_NAME, settings.database_url)
    with engine.begin() as connection:
        connection.execute(MARKS.insert().values(name=POSITION, value="0"))
        connection.execute(update(MARKS).where(MARKS.c.name == POSITION).values(value=str(position)))
    engine.dispose()


def test_a_sound_outlet_is_found_sound_wherever_its_databases_are(outlet: Outlet, settings: Settings) -> None:
    assert failures(outlet) == {}
    with_outbox_at(settings, 1)
    with vault_of(settings) as vault:
        vault.enter([Person("", ())])
    assert failures(outlet) == {}
    checks = checks_of(outlet, 0 if settings.database_url is None or not postgres.server().own else 1)
    database = "SQLite" if settings.database_url is None else "PostgreSQL"
    assert list(checks) == ["data directory", "disk space", database, *NAMES]
    assert checks["vault"]["detail"].startswith("1 people")


def test_an_outbox_that_is_ahead_of_the_log_is_refused_with_what_to_do(outlet: Outlet, settings: Settings) -> None:
    with_outbox_at(settings, 999)
    found = failures(outlet)
    assert list(found) == ["outbox"]
    assert "up to 999" in found["outbox"]
    assert "Restore the outbox" in found["outbox"]


def test_an_outbox_of_a_newer_version_is_refused(outlet: Outlet, settings: Settings) -> None:
    with_outbox_at(settings, 1)
    engine = OUTBOX.opened(settings.data_dir / FILE_NAME, settings.database_url)
    with engine.begin() as connection:
        connection.execute(update(METADATA.tables["outbox_schema"]).values(version=9))
    engine.dispose()
    assert list(failures(outlet)) == ["outbox"]


def test_a_vault_whose_key_is_gone_is_refused(outlet: Outlet, settings: Settings) -> None:
    vault_of(settings).close()
    (settings.data_dir / KEY_NAME).unlink()
    found = failures(outlet)
    assert list(found) == ["vault"]
    assert KEY_NAME in found["vault"]


def test_a_file_of_contacts_that_nothing_uses_any_more_is_found(outlet: Outlet, settings: Settings) -> None:
    vault_in(settings.data_dir).close()
    vault_of(settings).close()
    assert list(failures(outlet)) == ([] if settings.database_url is None else ["vault"])


def test_where_there_is_no_outlet_nothing_is_made(outlet: Outlet, url: str | None) -> None:
    assert "there is no outlet" in outlet("doctor", code=1).stderr
    assert not outlet.data.exists()
    if url is not None:
        with psycopg.connect(url) as connection:
            assert connection.execute(
                "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()"
            ).fetchone() == (0,)


@pytest.mark.postgres
def test_a_gap_in_the_log_is_found(tmp_path: Path, outlet: Outlet, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres.schema() as url:
        monkeypatch.setenv("OUTLET_DATABASE_URL", url)
        outlet.ingest(cap("a1"), at="2026-01-01T00:00:00+00:00")
        with psycopg.connect(url) as connection:
            connection.execute("DELETE FROM stored_events WHERE notification_id = 2")
        assert "event log" in failures(outlet)


@pytest.mark.postgres
def test_settings_that_lose_events_with_the_power_are_found(
    tmp_path: Path, outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not postgres.server().own:
        pytest.skip("needs a server that is known to run without fsync")
    with postgres.schema() as url:
        monkeypatch.setenv("OUTLET_DATABASE_URL", url)
        build(Settings(data_dir=outlet.data, policy=str(outlet.policy), database_url=url)).close()
        durability = checks_of(outlet, 1)["durability"]
        assert durability == {
            "check": "durability",
            "ok": False,
            "detail": "fsync=off, full_page_writes=off, synchronous_commit=on",
        }


def test_a_server_that_is_away_is_one_finding_and_no_password_is_shown(
    outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlet.data.mkdir()
    monkeypatch.setenv("OUTLET_DATABASE_URL", "postgresql://somebody:secret@127.0.0.1:9/none")
    result = outlet("doctor", "--json", code=1)
    assert list(checks_of(outlet, 1)) == ["data directory", "disk space", "PostgreSQL"]
    assert list(failures(outlet)) == ["PostgreSQL"]
    assert "secret" not in result.output
