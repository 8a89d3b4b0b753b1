"""What was answered is there: under many senders at once, and after the process is killed."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.store.sqlite_log import SqliteEventLog
from domain.events import MessageAccepted
from tests.adapters.http.messages import as_json, json_message
from tests.adapters.http.outlets import Outlet, receipts_of
from tests.conftest import PROJECT
from tests.streams.messages import cap


def test_a_hundred_at_once_are_all_durable_and_share_transactions(outlet: Outlet) -> None:
    key = outlet.key()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda number: outlet.post(cap(f"m-{number}"), key=key), range(100)))
    assert {receipt["identifier"] for answer in answers for receipt in receipts_of(answer)} == {
        f"m-{number}" for number in range(100)
    }
    assert outlet.topics().count(MessageAccepted.TOPIC) == 100
    batches = next(line for line in outlet.client.get("/metrics").text.splitlines() if "batch_messages_count" in line)
    assert int(batches.split()[1]) < 100


@contextmanager
def server_process(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    command = [sys.executable, "-m", "tests.adapters.http.crash_server", str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROJECT
    ) as process:
        assert process.stdout is not None
        try:
            yield process, f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def identifiers_in(folder: Path) -> set[str]:
    log = SqliteEventLog(folder / "events.sqlite")
    try:
        return {one.event.message.identifier for one in log.read() if isinstance(one.event, MessageAccepted)}
    finally:
        log.close()


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_nothing_that_was_answered_is_lost_when_the_process_is_killed(tmp_path: Path, rounds: int) -> None:
    folder = tmp_path / "data"
    with AgencyKeys(folder / FILE_NAME) as keys:
        headers = {
            "X-Api-Key": keys.add_key("meteorology", datetime.now(UTC)).secret,
            "Content-Type": "application/json",
        }
    answered: set[str] = set()
    lock = threading.Lock()
    for round_ in range(rounds):
        with server_process(folder) as (process, url):

            def send(sender: int, round_: int = round_, url: str = url) -> None:
                with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
                    for number in range(10_000):
                        name = f"m-{round_}-{sender}-{number}"
                        content = as_json(json_message(name))
                        try:
                            answer = client.post("/v1/agencies/meteorology/messages", content=content, headers=headers)
                        except httpx.HTTPError:
                            return
                        assert answer.status_code == 202, answer.text
                        with lock:
                            answered.add(name)

            with ThreadPoolExecutor(8) as pool:
                senders = [pool.submit(send, sender) for sender in range(8)]
                killer = threading.Timer(1.0 + 0.3 * round_, process.kill)
                killer.start()
                for sender in senders:
                    sender.result()
                killer.join()
    assert len(answered) > 10
    assert answered <= identifiers_in(folder)
