"""The whole of it, as somebody shows it: `outlet run`, three agencies with `curl`, and everything that comes out."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.clocks import SystemClock
from tests.adapters.http.processes import Running, outlet_run
from tests.conftest import PROJECT
from tests.streams.messages import START, cap, cn12379

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is needed")

HAZARDS = {"water": "11A51", "meteorology": "11B03", "natural-resources": "11B37"}
CODES = {"water": "33060033200000", "meteorology": "33060041600000", "natural-resources": "33060099900000"}
ATOM = "{http://www.w3.org/2005/Atom}"


def curl(*arguments: str) -> str:
    result = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*", "--max-time", "30", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def policy_at(path: Path) -> str:
    """Shaoxing's policy with a 12379 code for natural resources, whose real one its operator enters."""
    text = (PROJECT / "adapters" / "policies" / "shaoxing.toml").read_text(encoding="utf-8")
    own = '    "natural-resources@shaoxing.example",\n'
    assert text.count(own) == 1
    path.write_text(text.replace(own, f'{own}    "330600999*",\n'), encoding="utf-8")
    return str(path)


def key_of(data: Path, agency: str, policy: str) -> str:
    command = [sys.executable, "-m", "adapters.cli", "--data", str(data), "--policy", policy]
    command += ["agency", "add", agency, "--json"]
    made = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True)
    return str(json.loads(made.stdout)["issued"][0]["secret"])


def messages(agency: str, minutes: int) -> dict[str, bytes]:
    """The agency's CAP message for one district, and its 12379 message for another."""
    hazard = HAZARDS[agency]
    known = agency if agency != "natural-resources" else "water"
    chinese = cn12379(
        f"{CODES[agency]}_20220913080000",
        agency=known,
        hazard=hazard,
        level="red",
        codes=("330683",),
        minutes=minutes,
    )
    chinese = re.sub(rb"<senderCode>[0-9]+", b"<senderCode>" + CODES[agency].encode(), chinese)
    return {
        "application/cap+xml": cap(f"show-{agency}", agency=agency, hazard=hazard, level="red", minutes=minutes),
        "application/xml": chinese,
    }


def send(running: Running, folder: Path, agency: str, key: str, kind: str, content: bytes) -> dict[str, Any]:
    (folder / "message").write_bytes(content)
    answer = curl(
        f"{running.url}/v1/agencies/{agency}/messages",
        *("--header", f"Authorization: Bearer {key}", "--header", f"Content-Type: {kind}"),
        *("--data-binary", f"@{folder / 'message'}"),
    )
    (receipt,) = json.loads(answer)["receipts"]
    return dict(receipt)


def until(happened: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := happened()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def streamed(running: Running, last: str, count: int) -> list[tuple[str, dict[str, Any]]]:
    """So many releases behind an event's id, as (id, data), read from the stream by curl."""
    command = ["curl", "--silent", "--no-buffer", "--noproxy", "*", "--max-time", "60"]
    reading = subprocess.Popen(
        [*command, "--header", f"Last-Event-ID: {last}", f"{running.url}/v1/stream"], stdout=subprocess.PIPE, text=True
    )
    assert reading.stdout is not None
    found: list[tuple[str, dict[str, Any]]] = []
    identifier = kind = ""
    try:
        while len(found) < count:
            line = reading.stdout.readline()
            assert line, f"the stream ended after {found}"
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "id":
                identifier = value
            elif name == "event":
                kind = value
            elif name == "data" and kind == "release":
                found.append((identifier, json.loads(value)))
    finally:
        reading.kill()
        reading.wait()
        reading.stdout.close()
    return found


def test_three_agencies_come_in_and_one_outlet_goes_out_over_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    minutes = int((SystemClock().now() - START).total_seconds() // 60)
    policy = policy_at(tmp_path / "policy.toml")
    keys = {agency: key_of(data, agency, policy) for agency in HAZARDS}
    with outlet_run(data, "--policy", policy) as running:
        for agency, key in keys.items():
            for kind, content in messages(agency, minutes).items():
                receipt = send(running, tmp_path, agency, key, kind, content)
                assert (receipt["outcome"], receipt["agency"]) == ("accepted", agency)
        url = running.url

        def board() -> Any:
            features = json.loads(curl(f"{url}/v1/warnings"))["features"]
            held = {one["properties"]["code"]: one["properties"] for one in features}
            complete = all(len(one["sections"]) == 3 for one in held.values())
            return held if set(held) == {"330604", "330683"} and complete else None

        for code, warning in until(board).items():
            issuers = {issuer["id"] for section in warning["sections"] for issuer in section["issuers"]}
            assert issuers == set(HAZARDS), code
            assert warning["level"] == "red"
        feed = etree.fromstring(curl(f"{url}/v1/feed.atom").encode())
        entries = feed.findall(f"{ATOM}entry")
        link = entries[0].find(f"{ATOM}link[@rel='alternate']")
        assert link is not None
        document = etree.fromstring(curl(link.attrib["href"]).encode())
        assert etree.QName(document).namespace == "urn:oasis:names:tc:emergency:cap:1.2"
        before = streamed(running, "0", len(entries))
        last = before[-1][0]
    with outlet_run(data, address=url.removeprefix("http://")) as running:
        update = cap("show-again", agency="water", hazard="11A51", level="red", minutes=minutes, codes=("330602",))
        send(running, tmp_path, "water", keys["water"], "application/cap+xml", update)
        ((identifier, told),) = streamed(running, last, 1)
        assert told["code"] == "330602"
        assert int(identifier) > int(last)
        again = streamed(running, "0", len(before) + 1)
    assert again == [*before, (identifier, told)]


def test_an_address_in_use_ends_the_command_with_a_sentence(tmp_path: Path) -> None:
    with outlet_run(tmp_path / "one") as running:
        address = running.url.removeprefix("http://")
        command = [sys.executable, "-m", "adapters.cli", "--data", str(tmp_path / "two"), "run", "--http", address]
        second = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert second.stderr.strip().splitlines() == [f"outlet: cannot listen on {address}: Address already in use"]


def test_http_is_served_unless_it_is_left_out(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adapters.cli", "run", "--help"]
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "127.0.0.1:8080" in told
    assert "--no-http" in told
