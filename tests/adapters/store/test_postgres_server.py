"""The tests' own server: never silently missing where it must be there, and started from wherever it was installed."""

import shutil
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.postgres import NoServerError


@pytest.fixture
def without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_found", lambda: NoServerError("no PostgreSQL to test against: none"))


def test_in_ci_a_missing_server_is_an_error(without_a_server: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(NoServerError, match="no PostgreSQL"):
        postgres.server()


def test_elsewhere_a_missing_server_skips_with_the_reason(
    without_a_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no PostgreSQL to test against: none"):
        postgres.server()


@pytest.mark.postgres
def test_binaries_that_others_may_not_read_are_copied(tmp_path: Path) -> None:
    if not postgres.server().own:
        pytest.skip("the server is another's")
    locked = tmp_path / "locked"
    locked.mkdir()
    shutil.copytree(postgres.binaries(), locked / "pginstall")
    locked.chmod(0o700)
    target = tmp_path / "target"
    target.mkdir()
    installed = postgres.enterable(locked / "pginstall", target)
    assert target in installed.parents
    assert (installed / "bin" / "postgres").is_file()


@pytest.mark.postgres
def test_what_a_test_leaves_behind_is_gone_for_the_next() -> None:
    with postgres.schema() as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE left_behind ()")
    with postgres.schema() as url, psycopg.connect(url) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT FROM left_behind")
