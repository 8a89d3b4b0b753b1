"""`/v1/stream`: every release once, in order, whatever breaks in between."""

import contextlib
import socket
import threading
import time
from pathlib import Path

import pytest

from adapters.clocks import ManualClock
from adapters.http.public import StreamOptions
from adapters.settings import Settings
from adapters.wiring import build
from domain.messages import Mode
from domain.release import Approve
from tests.adapters.http.public.conftest import SECONDS, Desk, Serve, Served, serving
from tests.adapters.http.public.listening import listening
from tests.adapters.http.public.samples import (
    FLOOD,
    NORTH,
    RAIN,
    SOUTH,
    START,
    WATER,
    at,
    cap,
    reference,
    write_policy,
)


def positions(desk: Desk) -> list[int]:
    return [position for position, _ in desk.releases()]


def test_each_release_is_an_event_whose_id_is_its_position(desk: Desk, served: Served) -> None:
    with listening(served.base) as stream:
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        assert stream.answer.headers["access-control-allow-origin"] == "*"
        assert stream.next("ready").data["position"] == desk.platform.log.head()
        desk.deliver(cap("r1", level="orange"), minutes=0)
        desk.deliver(cap("f1", hazard=FLOOD, districts=(SOUTH,)), minutes=0)
        heard = [stream.next("release"), stream.next("release")]
    assert [int(one.id) for one in heard] == [one.data["id"] for one in heard] == positions(desk)
    assert [one.data["code"] for one in heard] == [NORTH, SOUTH]
    document = served.get(heard[0].data["links"]["json"]).json()
    assert heard[0].data == {"id": positions(desk)[0], **document}


def test_a_stream_resumes_over_a_restart_without_a_gap_and_without_a_repeat(tmp_path: Path) -> None:
    """Clients go at any event, the server and the platform start anew, and releases come all the while."""
    settings = Settings(data_dir=tmp_path / "data", policy=str(write_policy(tmp_path / "policy")))
    heard: list[int] = []
    last = "0"
    for start in range(4):
        with build(settings, clock=ManualClock(at(start * 10))) as platform:
            desk = Desk(platform)
            desk.deliver(cap(f"a{start}", hazard=FLOOD, districts=(SOUTH,), minutes=start * 10, hours=0.1))
            with serving(platform) as served, listening(served.base, last=last) as stream:
                desk.deliver(cap(f"b{start}", districts=(NORTH,), minutes=start * 10, hours=0.1))
                # The first time it goes before it has heard all.
                heard += [int(stream.next("release").id) for _ in range(2 if start else 1)]
                last = stream.id
            desk.deliver(cap(f"c{start}", hazard="unrest", districts=(NORTH,), minutes=start * 10, hours=0.1))
    with build(settings, clock=ManualClock(at(40))) as platform, serving(platform) as served:
        released = positions(Desk(platform))
        with listening(served.base, last=last) as stream:
            while len(heard) < len(released):
                heard.append(int(stream.next("release").id))
    assert heard == released
    assert len(released) >= 12


def test_clients_that_come_while_releases_pour_in_miss_nothing(desk: Desk, served: Served) -> None:
    """Every joining moment between the log and the live stream is some client's."""
    total = 40
    heard: list[list[int]] = []

    def listen() -> None:
        ids: list[int] = []
        heard.append(ids)
        with listening(served.base, "?after=0") as stream:
            while len(ids) < total:
                ids.append(int(stream.next("release").id))

    threads = []
    for number in range(total):
        desk.deliver(cap(f"r{number}", districts=(SOUTH if number % 2 else NORTH,), level="blue", minutes=0))
        if number % 5 == 0:
            threads.append(threading.Thread(target=listen, daemon=True))
            threads[-1].start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(heard) == len(threads)
    assert all(ids == positions(desk) for ids in heard)


def test_after_begins_behind_a_position_and_the_last_id_outweighs_it(desk: Desk, served: Served) -> None:
    for number in range(3):
        desk.deliver(cap(f"r{number}", minutes=number), minutes=number)
    first, second, third = positions(desk)
    with listening(served.base, f"?after={first}") as stream:
        assert int(stream.next("release").id) == second
    with listening(served.base, f"?after={first}&state=true", last=str(second)) as stream:
        assert int(stream.next("release").id) == third


def test_who_asks_for_the_state_is_given_it_first(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1", level="orange"), minutes=0)
    desk.deliver(cap("f1", hazard=FLOOD, districts=(SOUTH,), hours=1), minutes=0)
    desk.platform.clock.set(at(70))  # type: ignore[attr-defined]
    with listening(served.base, "?state=true") as stream:
        state = stream.next("state")
        assert (state.data["code"], state.data["level"], state.id) == (NORTH, "orange", "")
        ready = stream.next("ready")
        assert int(ready.id) == desk.platform.log.head()
        desk.platform.runner.pump()
        assert stream.next("release").data["message_type"] == "Cancel"


def test_an_id_that_this_log_never_gave_leads_to_a_reset_and_the_state(desk: Desk, served: Served) -> None:
    desk.deliver(cap("r1"), minutes=0)
    with listening(served.base, last="999999") as stream:
        assert stream.next("reset").data["after"] == 999999
        assert stream.next("state").data["code"] == NORTH
        assert int(stream.next("ready").id) == desk.platform.log.head()
        desk.deliver(cap("f1", hazard=FLOOD), minutes=1)
        assert stream.next("release").data["release"] == 2


def test_filters_leave_out_what_is_not_asked_for_and_keep_its_lowering_and_lifting(desk: Desk, served: Served) -> None:
    with (
        listening(served.base, f"?district={NORTH}&hazard={RAIN}&level_min=orange") as stream,
        listening(served.base, f"?hazard={FLOOD}") as floods,
    ):
        stream.next("ready")
        floods.next("ready")
        desk.deliver(cap("s1", level="orange", districts=(SOUTH,)), minutes=0)
        desk.deliver(cap("f1", hazard=FLOOD, level="orange"), minutes=0)
        desk.deliver(cap("r1", level="yellow"), minutes=1)
        desk.deliver(cap("r2", kind="Update", level="orange", minutes=2, references=reference("r1")), minutes=2)
        desk.deliver(cap("r3", kind="Update", level="blue", minutes=3, references=reference("r1")), minutes=3)
        desk.deliver(cap("r4", kind="Cancel", level="blue", minutes=4, references=reference("r1")), minutes=4)
        kinds = [[change["kind"] for change in stream.next("release").data["changes"]] for _ in range(2)]
        assert floods.next("release").data["changes"][0]["kind"] == "new-hazard"
    assert kinds == [["raised"], ["lowered"]]


def test_heartbeats_name_the_last_id_of_each_district_asked_for(desk: Desk, serve: Serve) -> None:
    served = serve(StreamOptions(heartbeat_seconds=0.05))
    desk.deliver(cap("r1", districts=(NORTH,)), minutes=0)
    desk.deliver(cap("f1", hazard=FLOOD, districts=(SOUTH,)), minutes=0)
    north, south = positions(desk)
    with listening(served.base) as stream, listening(served.base, f"?district={SOUTH}") as one:
        stream.next("ready")
        one.next("ready")
        beat = stream.next("heartbeat")
        assert beat.data == {"position": desk.platform.log.head(), "latest": {NORTH: north, SOUTH: south}}
        assert one.next("heartbeat").data["latest"] == {SOUTH: south}
        desk.deliver(cap("r2", minutes=1), minutes=1)
        assert int(stream.next("release").id) == positions(desk)[-1]
        assert stream.next("heartbeat").data["latest"][NORTH] == positions(desk)[-1]


def test_drills_and_what_is_held_are_never_streamed(desk: Desk, served: Served) -> None:
    with listening(served.base, "?after=0") as stream:
        desk.deliver(cap("d1", level="orange", status="Exercise"), minutes=0)
        desk.deliver(cap("r1", level="red"), minutes=1)
        desk.deliver(cap("f1", hazard=FLOOD, sender=WATER), minutes=2)
        flood = stream.next("release")
        assert [section["hazard"]["code"] for section in flood.data["sections"]] == [FLOOD]
        desk.platform.runner.command(NORTH, Mode.LIVE, Approve(RAIN, by="officer-7"))
        desk.platform.runner.pump()
        assert stream.next("release").data["level"] == "red"


def test_a_client_that_does_not_read_is_let_go_while_the_others_go_on(desk: Desk, serve: Serve) -> None:
    served = serve(StreamOptions(queue_limit=2, goodbye_seconds=SECONDS))
    with contextlib.closing(slow_client(served)) as slow, listening(served.base, "?after=0") as quick:
        heard: list[int] = []
        while served.router.streams.hub.dropped == 0:
            number = len(heard)
            desk.deliver(cap(f"r{number}", minutes=number, hours=0.01, text="x" * 90_000), minutes=number)
            heard.append(int(quick.next("release").id))
            assert number < 200, "the slow client was never let go"
        heard.append(int(quick.next("release").id)) if len(heard) < len(positions(desk)) else None
        assert heard == positions(desk)[: len(heard)]
        received = drained(slow)
    assert received.rstrip().endswith(b"0"), "the answer ends as HTTP says"
    assert b"event: dropped" in received
    last = int(received.rpartition(b"id: ")[2].split(b"\n")[0])
    with listening(served.base, last=str(last)) as back:
        missed = [position for position in positions(desk) if position > last]
        assert missed
        assert [int(back.next("release").id) for _ in missed] == missed


def slow_client(served: Served) -> socket.socket:
    """A client that has asked for the stream and reads nothing."""
    host, port = served.base.removeprefix("http://").split(":")
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(SECONDS)
    client.connect((host, int(port)))
    client.sendall(b"GET /v1/stream?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    until = time.monotonic() + SECONDS
    while served.router.streams.hub.clients == 0 and time.monotonic() < until:
        time.sleep(0.01)
    return client


def drained(client: socket.socket) -> bytes:
    """All that the client had not read, up to the end of the answer."""
    received = bytearray()
    while not received.endswith(b"0\r\n\r\n"):
        part = client.recv(1 << 20)
        if not part:
            break
        received += part
    return bytes(received)


def test_a_client_that_never_reads_again_is_forgotten(desk: Desk, serve: Serve) -> None:
    served = serve(StreamOptions(queue_limit=1, goodbye_seconds=0.1))
    with contextlib.closing(slow_client(served)):
        number = 0
        while served.router.streams.hub.dropped == 0:
            desk.deliver(cap(f"r{number}", minutes=number, hours=0.01, text="x" * 90_000), minutes=number)
            number += 1
            assert number < 200, "the slow client was never let go"
        until = time.monotonic() + SECONDS
        while served.router.streams.open and time.monotonic() < until:
            time.sleep(0.01)
        assert served.router.streams.open == 0


def test_a_client_that_goes_is_forgotten(desk: Desk, served: Served) -> None:
    with listening(served.base) as stream:
        stream.next("ready")
        assert served.router.streams.open == 1
    until = time.monotonic() + SECONDS
    while served.router.streams.open and time.monotonic() < until:
        time.sleep(0.01)
    assert (served.router.streams.open, served.router.streams.hub.clients) == (0, 0)


def test_no_more_streams_are_opened_than_allowed(desk: Desk, serve: Serve) -> None:
    served = serve(StreamOptions(maximum_clients=1))
    with listening(served.base) as stream:
        stream.next("ready")
        answer = served.get("/v1/stream")
        assert (answer.status_code, answer.json()["code"]) == (503, "too-many-streams")
        assert "retry-after" in answer.headers


@pytest.mark.parametrize(
    "query", ["?since=1", "?after=-1", "?after=x", "?state=maybe", "?district=nowhere", "?hazard=snow", "?level_min=9"]
)
def test_a_parameter_that_cannot_be_used_is_refused(served: Served, query: str) -> None:
    assert served.get(f"/v1/stream{query}").status_code == 400


def test_a_last_id_that_is_no_number_is_refused(served: Served) -> None:
    assert served.get("/v1/stream", headers={"Last-Event-ID": "abc"}).status_code == 400


def test_a_closing_server_ends_its_streams_so_that_it_can_stop(desk: Desk) -> None:
    begun = time.monotonic()
    with serving(desk.platform) as served, listening(served.base) as stream:
        stream.next("ready")
        served.router.close()
        assert list(stream) == []
        assert served.get("/v1/stream").status_code == 503
    assert time.monotonic() - begun < SECONDS


def test_the_start_of_time_is_the_start_of_the_samples() -> None:
    assert at(0) == START
