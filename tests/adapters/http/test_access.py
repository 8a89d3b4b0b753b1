"""Who may send: keys, their exchange and end, pinned certificates, and the agency in the address."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.settings import networks
from domain.events import MessageAccepted
from tests.adapters.http.outlets import Outlet, outlet_at, problem, receipts_of, tighter
from tests.streams.messages import cap

FINGERPRINT = "ab" * 32


def nothing_was_taken(outlet: Outlet) -> bool:
    return MessageAccepted.TOPIC not in outlet.topics()


def test_without_a_key_nothing_is_taken(outlet: Outlet) -> None:
    response = outlet.client.post("/v1/agencies/water/messages", content=cap("m-1", agency="water"))
    problem(response, "no-key", 401)
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert nothing_was_taken(outlet)


@pytest.mark.parametrize("key", ["x", "outlet_000000000000_wrong", "outlet__", "_", "é", "outlet_" + "y" * 5_000])
def test_a_wrong_key_is_refused(outlet: Outlet, key: str) -> None:
    headers = {b"x-api-key": key.encode(), b"content-type": b"application/xml"}
    response = outlet.client.post("/v1/agencies/water/messages", content=cap("m-1"), headers=headers)
    problem(response, "unknown-key", 401)
    assert nothing_was_taken(outlet)


def test_a_key_with_one_character_changed_is_refused(outlet: Outlet) -> None:
    key = outlet.key()
    changed = key[:-1] + ("A" if key[-1] != "A" else "B")
    problem(outlet.post(cap("m-1"), key=changed), "unknown-key", 401)


def test_both_headers_carry_a_key(outlet: Outlet) -> None:
    headers = {"X-Api-Key": outlet.key(), "Content-Type": "application/xml"}
    receipts_of(outlet.client.post("/v1/agencies/meteorology/messages", content=cap("m-1"), headers=headers))
    receipts_of(outlet.post(cap("m-2")))


def test_another_agencys_key_is_refused(outlet: Outlet) -> None:
    key = outlet.key("water")
    problem(outlet.post(cap("m-1"), agency="meteorology", key=key), "other-agency", 403)
    assert nothing_was_taken(outlet)


def test_several_keys_are_valid_at_once_so_that_one_is_exchanged_without_a_gap(outlet: Outlet) -> None:
    old, new = outlet.key(), outlet.key()
    receipts_of(outlet.post(cap("m-1"), key=old))
    receipts_of(outlet.post(cap("m-2"), key=new))
    [first, _] = outlet.keys.credentials("meteorology")
    outlet.keys.disable(first.id, outlet.clock.now())
    states = {one.id: one.disabled is not None for one in outlet.keys.credentials("meteorology")}
    assert sorted(states.values()) == [False, True]


def test_a_disabled_key_is_refused_from_the_next_request_on_though_another_process_disabled_it(outlet: Outlet) -> None:
    key = outlet.key()
    receipts_of(outlet.post(cap("m-1"), key=key))
    with AgencyKeys(outlet.platform.settings.data_dir / FILE_NAME) as elsewhere:
        [credential] = elsewhere.credentials("meteorology")
        elsewhere.disable(credential.id, outlet.clock.now())
    problem(outlet.post(cap("m-2"), key=key), "disabled-key", 401)


def test_an_expired_key_is_refused(outlet: Outlet) -> None:
    now = outlet.clock.now()
    key = outlet.keys.add_key("meteorology", now, expires=now + timedelta(minutes=5)).secret
    receipts_of(outlet.post(cap("m-1"), key=key))
    outlet.clock.set(now + timedelta(minutes=5))
    problem(outlet.post(cap("m-2"), key=key), "expired-key", 401)


def test_a_key_is_nowhere_in_the_data_directory(outlet: Outlet) -> None:
    key = outlet.key()
    receipts_of(outlet.post(cap("m-1"), key=key))
    secret = key.rpartition("_")[2].encode()
    for path in outlet.platform.settings.data_dir.iterdir():
        assert secret not in path.read_bytes(), path.name


def test_the_keys_file_is_its_owners_alone(outlet: Outlet) -> None:
    path = outlet.platform.settings.data_dir / FILE_NAME
    assert path.stat().st_mode & 0o077 == 0


def test_keys_outlive_a_restart(tmp_path: Path) -> None:
    with outlet_at(tmp_path) as outlet:
        key = outlet.key()
    with outlet_at(tmp_path) as outlet:
        receipts_of(outlet.post(cap("m-1"), key=key))


def test_a_pinned_certificate_is_required_and_believed_from_a_trusted_proxy_alone(tmp_path: Path) -> None:
    header = {"X-Client-Certificate-SHA256": FINGERPRINT}
    with outlet_at(tmp_path / "direct") as outlet:
        outlet.keys.add_certificate("meteorology", FINGERPRINT, outlet.clock.now())
        problem(outlet.post(cap("m-1"), headers=header), "certificate", 401)
    with outlet_at(tmp_path / "proxied", tighter(trusted_proxies=networks("127.0.0.1"))) as outlet:
        outlet.keys.add_certificate("meteorology", FINGERPRINT.upper(), outlet.clock.now())
        problem(outlet.post(cap("m-1")), "certificate", 401)
        other = {"X-Client-Certificate-SHA256": "cd" * 32}
        problem(outlet.post(cap("m-1"), headers=other), "certificate", 401)
        receipts_of(outlet.post(cap("m-1"), headers=header))


@pytest.mark.parametrize("fingerprint", ["", "ab", "zz" * 32, "ab" * 33])
def test_what_is_no_fingerprint_is_not_pinned(tmp_path: Path, fingerprint: str) -> None:
    with outlet_at(tmp_path) as outlet, pytest.raises(ValueError, match="fingerprint"):
        outlet.keys.add_certificate("meteorology", fingerprint, outlet.clock.now())
