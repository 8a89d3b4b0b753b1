"""Of several processes one works, for as long as it lives and can be reached."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from adapters.cluster.lease import Lease
from tests import postgres

pytestmark = pytest.mark.postgres


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.schema() as found:
        yield found


def test_one_of_two_holds_it_and_the_other_one_takes_over_when_it_lets_go(url: str) -> None:
    first, second, stop = Lease(url, "relay"), Lease(url, "relay"), threading.Event()
    told: list[bool] = []

    def wait() -> None:
        with second.held(stop) as is_ours:
            told.append(is_ours)

    with first.held(stop) as is_ours:
        assert is_ours
        assert first.still()
        waiting = threading.Thread(target=wait)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert not second.is_active
    waiting.join(30)
    assert told == [True]
    assert not first.is_active


def test_who_is_told_to_stop_while_waiting_goes_without_it(url: str) -> None:
    first, second, stop, never = Lease(url, "relay"), Lease(url, "relay"), threading.Event(), threading.Event()
    with first.held(never):
        stop.set()
        with second.held(stop) as is_ours:
            assert not is_ours


def test_leases_of_other_names_and_of_other_schemas_do_not_meet(url: str) -> None:
    never = threading.Event()
    with postgres.schema() as other_url:
        leases = [Lease(url, "relay"), Lease(url, "projector"), Lease(other_url, "relay")]
        with leases[0].held(never) as one, leases[1].held(never) as two, leases[2].held(never) as three:
            assert one
            assert two
            assert three


def test_a_lost_connection_has_lost_it(url: str) -> None:
    lease, never = Lease(url, "relay"), threading.Event()
    with lease.held(never):
        assert lease._connection is not None
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (lease._connection.info.backend_pid,))
        assert not lease.still()
        assert not lease.is_active
        with Lease(url, "relay").held(never) as is_ours:
            assert is_ours
