"""Each figure in a small size, and in full where slow tests are asked for.

R10's ratio is a time, and no test asserts a time: here its counts must hold, `make figures` measures the ratio.
"""

from pathlib import Path

import pytest

from tests import postgres
from tests.adapters.channels.smpp_routes import need_node
from tests.figures import cluster_run, r1_cluster, r4, r5, sizes
from tests.figures.cluster_feed import clients_without_a_broker
from tests.figures.figure import Figure, unseen
from tests.kafka.broker import need_kafka

pytestmark = pytest.mark.long

SIZES = [pytest.param(False, id="small"), pytest.param(True, id="full", marks=pytest.mark.slow)]


def held(name: str, folder: Path, *, full: bool) -> Figure:
    figure = sizes.measured(name, folder, unseen, full=full)
    assert figure.shortfalls == []
    return figure


@pytest.mark.parametrize("full", SIZES)
def test_nothing_outside_a_remit_reaches_the_public_and_each_is_refused_with_its_reason(
    tmp_path: Path, full: bool
) -> None:
    counts = held("s3", tmp_path, full=full).counts
    assert counts["events of refused messages that reach further"] == 0
    assert counts["public documents naming a refused message"] == 0
    assert counts["control messages named in public"] > 0


@pytest.mark.parametrize("full", SIZES)
def test_a_stolen_request_has_no_effect_however_often_it_is_replayed_and_however_it_is_bent(
    tmp_path: Path, full: bool
) -> None:
    counts = held("s4", tmp_path, full=full).counts
    assert counts["replays"] == counts["replays answered 409 replayed"] >= sizes.S4_SMALL
    assert counts["effects of stolen requests"] == 0


@pytest.mark.parametrize("full", SIZES)
def test_every_reader_returns_what_it_promises_or_raises_its_one_error(tmp_path: Path, full: bool) -> None:
    counts = held("s10", tmp_path, full=full).counts
    assert counts["returned"] > 0
    assert counts["refused"] > 0


@pytest.mark.parametrize("full", SIZES)
def test_a_server_killed_at_any_moment_loses_and_doubles_nothing_that_was_answered(tmp_path: Path, full: bool) -> None:
    counts = held("r1", tmp_path, full=full).counts
    assert counts["answered messages lost"] == 0
    assert counts["killed while serving"] > 0


@pytest.mark.parametrize("full", SIZES)
def test_a_flood_is_answered_429_and_counted_and_keeps_nobody_else_out(tmp_path: Path, full: bool) -> None:
    figure = sizes.measured("r10", tmp_path, unseen, full=full)
    timed = ("the others' p95 was", "round ")
    assert [shortfall for shortfall in figure.shortfalls if not shortfall.startswith(timed)] == []
    assert figure.counts["flood answered by status"]["429"] == figure.counts["counted by the server as limited"]


@pytest.mark.parametrize("full", SIZES)
def test_nobody_is_missed_and_no_all_clear_goes_first_while_servers_and_outlet_are_killed(
    tmp_path: Path, full: bool
) -> None:
    need_node()
    counts = held("telling", tmp_path, full=full).counts
    assert counts["people missed"] == 0
    assert counts["repeats"] <= counts["in flight at the kills"]
    assert counts["killed with messages still to go"] > 0


@pytest.mark.parametrize("full", SIZES)
def test_after_trouble_with_both_servers_everything_goes_out_by_priority_and_nothing_that_expired(
    tmp_path: Path, full: bool
) -> None:
    need_node()
    figure = sizes.measured("r5", tmp_path, unseen, full=full)
    assert [shortfall for shortfall in figure.shortfalls if not shortfall.startswith(r5.TIMED)] == []
    assert figure.counts["people waiting at the return"] > 0


@pytest.mark.parametrize("full", SIZES)
def test_of_an_erased_person_no_trace_is_left_in_any_form(tmp_path: Path, full: bool) -> None:
    need_node()
    counts = held("s6", tmp_path, full=full).counts
    assert counts["forms looked for"] > 100 * counts["people erased"]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Figure:
    need_node()
    return sizes.measured("s7", tmp_path_factory.mktemp("s7"), unseen, full=False)


@pytest.mark.parametrize("place", ["mail", "SMS", "spooled SMS", "address"])
def test_no_text_or_address_is_more_than_text_to_a_mail_a_telephone_or_a_server(attacked: Figure, place: str) -> None:
    assert attacked.counts.get(f"got through in a {place}", 0) == 0
    assert attacked.counts["addresses refused"] > 0
    assert not [shortfall for shortfall in attacked.shortfalls if shortfall.startswith(("post", "carrier"))]


def test_no_subject_adds_a_header_to_a_spooled_mail(attacked: Figure) -> None:
    assert attacked.counts.get("got through in a spooled mail", 0) == 0


def test_no_cell_of_an_exported_table_is_a_formula(attacked: Figure) -> None:
    assert attacked.counts.get("got through in a table", 0) == 0


@pytest.mark.slow
def test_nothing_gets_through_in_full(tmp_path: Path) -> None:
    need_node()
    assert held("s7", tmp_path, full=True).counts["got through"] == 0


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.parametrize("full", SIZES)
def test_one_process_on_sqlite_one_on_postgresql_and_workers_over_kafka_come_to_the_same(
    tmp_path: Path, full: bool
) -> None:
    counts = held("equality", tmp_path, full=full).counts
    for what in ("streams", "rows", "texts"):
        assert counts[f"Kafka: {what}"] == counts[f"PostgreSQL: {what}"] == counts[f"SQLite: {what}"]


def need_a_cluster() -> None:
    postgres.server()
    need_kafka()


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.postgres
def test_broker_workers_and_every_other_process_may_die_while_messages_flow_and_nothing_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    """R4 and R1 on one cluster: troubles with the broker and among the workers, then kills of everything."""
    need_a_cluster()
    troubles = [*r4.troubles(sizes.R4_SMALL), *r1_cluster.troubles(sizes.R1_CLUSTER_SMALL)]
    with clients_without_a_broker():
        figure = cluster_run.measure(tmp_path, Figure("R4", r4.PROMISE), sizes.R4_SMALL.messages, troubles, unseen)
    assert figure.shortfalls == []
    assert figure.counts["answered while something was away"] > 0


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.parametrize("name", ["r1-cluster", "r4"])
def test_nothing_is_lost_or_doubled_on_a_cluster_in_full(tmp_path: Path, name: str) -> None:
    need_a_cluster()
    with clients_without_a_broker():
        counts = held(name, tmp_path, full=True).counts
    assert counts["acknowledged messages lost"] == 0


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.postgres
def test_a_cluster_drains_in_full_after_postgresql_was_away(tmp_path: Path) -> None:
    """The small size is in tests/cluster/test_faults.py."""
    need_a_cluster()
    need_node()
    figure = sizes.measured("r5-cluster", tmp_path, unseen, full=True)
    assert [shortfall for shortfall in figure.shortfalls if not shortfall.startswith(r5.TIMED)] == []
