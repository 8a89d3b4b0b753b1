"""What a process says of itself on a port of its own."""

import json
import urllib.error
import urllib.request

import pytest

from adapters.cluster.health import OK, Health, Sample, said_at, text_of


def asked(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_process_is_ready_while_all_its_checks_say_so_and_else_says_which_does_not() -> None:
    found = {"log": OK, "kafka": OK}
    health = Health({"log": lambda: found["log"], "kafka": lambda: found["kafka"]}, lambda: ())
    with said_at(("127.0.0.1", 0), health) as url:
        assert asked(f"{url}/livez") == (200, "ok")
        assert asked(f"{url}/readyz") == (200, '{"checks":{"log":"ok","kafka":"ok"}}')
        found["kafka"] = "no broker answers"
        status, body = asked(f"{url}/readyz")
        assert status == 503
        assert json.loads(body) == {"checks": {"log": "ok", "kafka": "no broker answers"}}
        assert asked(f"{url}/livez")[0] == 200
        assert asked(f"{url}/etc/passwd")[0] == 404


def test_figures_are_in_prometheus_form_with_their_labels_escaped() -> None:
    samples = [
        Sample("outlet_worker_lag", 3, {"topic": 'a"b\\c', "partition": "0"}),
        Sample("outlet_worker_lag", 0, {"topic": "d", "partition": "1"}),
        Sample("outlet_relay_records_total", 12345678, {}),
    ]
    assert text_of(samples) == (
        "# TYPE outlet_worker_lag gauge\n"
        'outlet_worker_lag{topic="a\\"b\\\\c",partition="0"} 3\n'
        'outlet_worker_lag{topic="d",partition="1"} 0\n'
        "# TYPE outlet_relay_records_total counter\n"
        "outlet_relay_records_total 12345678\n"
    )


def test_where_no_address_is_given_nothing_listens() -> None:
    with said_at(None, Health({}, lambda: ())) as url:
        assert url == ""


def test_an_address_in_use_is_an_error_at_once() -> None:
    with said_at(("127.0.0.1", 0), Health({}, lambda: ())) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), said_at(("127.0.0.1", port), Health({}, lambda: ())):
            pass
