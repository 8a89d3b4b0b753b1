"""`outlet run` as a process: files come in, documents go out, a signal ends it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.pollers.inbox import Inbox
from domain.findings import Code, refusal
from streams.intake import Delivery, Outcome, Receipt
from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import cap

PATIENCE_SECONDS = 30.0


def until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            process.send_signal(signal.SIGABRT)  # it then tells where it was
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


@contextmanager
def running(outlet: Outlet, inbox: Path) -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        "-m",
        "adapters.cli",
        "--data",
        str(outlet.data),
        "--policy",
        str(outlet.policy),
    ]
    process = subprocess.Popen(
        [*command, "run", "--inbox", str(inbox), "--no-http"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
    )
    try:
        until((inbox / "refused").is_dir, process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def put(inbox: Path, name: str, content: str) -> None:
    """As a careful sender does: written under another name, then renamed."""
    part = inbox / f"{name}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_text(content, encoding="utf-8")
    part.rename(inbox / name)


def test_files_come_in_documents_go_out_and_sigterm_ends_it_with_0(outlet: Outlet) -> None:
    inbox = outlet.folder / "inbox"
    now = datetime.now(UTC).replace(microsecond=0)
    with running(outlet, inbox) as process:
        put(inbox, "good.xml", cap("a1", sent=now))
        put(inbox / "water", "owned.xml", cap("a2", sent=now, sender="stranger@example.test"))
        put(inbox, "bad.xml", "<alert")
        (inbox / "unfinished.xml.part").write_text("<alert")
        (inbox / ".hidden.xml").write_text("<alert")
        documents = outlet.data / "outbox"
        until(lambda: documents.is_dir() and any(documents.glob("sample-N1-1-1.xml")), process)
        until((inbox / "refused" / "bad.xml").exists, process)
        process.send_signal(signal.SIGTERM)
        printed, complaints = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, complaints
    assert (inbox / "done" / "good.xml").exists()
    assert (inbox / "refused" / "water" / "owned.xml").exists()
    told = json.loads((inbox / "refused" / "bad.xml.findings.json").read_text())
    assert told["receipts"][0]["findings"][0]["code"] == "not-xml"
    assert (inbox / "unfinished.xml.part").exists()
    assert (inbox / ".hidden.xml").exists()
    assert "receipt   accepted weather a1" in printed
    assert "revision  North N1 #1: Heavy rain yellow (weather)" in printed
    assert "release   North N1 Alert sample-N1-1-1" in printed
    assert outlet.plain("check", *documents.glob("*.xml")).exit_code == 0
    assert len(outlet.json("board")["districts"]) == 1


def test_a_second_run_writes_only_what_is_new_and_takes_a_repeated_file_for_a_duplicate(outlet: Outlet) -> None:
    inbox = outlet.folder / "inbox"
    now = datetime.now(UTC).replace(microsecond=0)
    message = cap("a1", sent=now)
    for number in (1, 2):
        with running(outlet, inbox) as process:
            put(inbox, "same.xml", message)
            until((inbox / "done" / ("same.xml" if number == 1 else "same.2.xml")).exists, process)
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0
        if number == 1:
            (document,) = (outlet.data / "outbox").glob("*.xml")
            document.unlink()
        else:
            assert "receipt   duplicate" in printed
    assert list((outlet.data / "outbox").glob("*.xml")) == []


class Counted:
    """Takes deliveries in and says yes, or no to what is empty."""

    def __init__(self) -> None:
        self.sources: list[str] = []

    def __call__(self, deliveries: object) -> list[Receipt]:
        assert isinstance(deliveries, list)
        receipts = []
        for delivery in deliveries:
            assert isinstance(delivery, Delivery)
            self.sources.append(Path(delivery.source).name)
            good = bool(delivery.content)
            found = () if good else (refusal(Code.EMPTY, "/", "empty"),)
            outcome = Outcome.ACCEPTED if good else Outcome.REJECTED
            receipts.append(Receipt(delivery.source, outcome, delivery.agency, None, "", found))
        return receipts


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def submit() -> Counted:
    return Counted()


@pytest.fixture
def inbox(tmp_path: Path, submit: Counted, complaints: list[str]) -> Inbox:
    return Inbox(tmp_path / "inbox", ["weather"], submit=submit, tell=complaints.append)


def test_a_file_that_cannot_be_moved_is_not_taken_in_again(
    inbox: Inbox, submit: Counted, complaints: list[str]
) -> None:
    (inbox.folder / "done").rmdir()
    (inbox.folder / "done").write_text("a file where the folder should be")
    (inbox.folder / "a.xml").write_text("x")
    for _ in range(3):
        inbox.look()
    assert submit.sources.count("a.xml") == 1
    assert "cannot be moved" in complaints[0]


def test_the_folder_of_an_unknown_agency_is_left_alone_and_named_once(
    inbox: Inbox, submit: Counted, complaints: list[str]
) -> None:
    (inbox.folder / "stranger").mkdir()
    (inbox.folder / "stranger" / "a.xml").write_text("x")
    inbox.look()
    inbox.look()
    assert submit.sources == []
    assert len(complaints) == 1


def test_a_link_is_never_followed(inbox: Inbox, submit: Counted, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (inbox.folder / "a.xml").symlink_to(tmp_path / "secret")
    inbox.look()
    assert submit.sources == []


def test_nothing_in_done_or_refused_is_ever_overwritten(inbox: Inbox) -> None:
    for number in range(3):
        (inbox.folder / "a.xml").write_text(f"x{number}")
        (inbox.folder / "b.xml").write_text("")
        inbox.look()
    assert sorted(path.name for path in (inbox.folder / "done").iterdir()) == ["a.2.xml", "a.3.xml", "a.xml"]
    assert len(list((inbox.folder / "refused").glob("*.findings.json"))) == 3
    assert (inbox.folder / "done" / "a.xml").read_text() == "x0"
