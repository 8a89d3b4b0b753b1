"""`outlet approve`, `refuse` and `settle`: decisions of people, and what keeps them from being made by mistake."""

from tests.adapters.cli.conftest import Outlet
from tests.adapters.cli.samples import RAIN, WATER, cap


def now_red(outlet: Outlet) -> None:
    """A red that waits for one approval, taken in on the machine's own clock, as `approve` will be."""
    from datetime import UTC, datetime  # noqa: PLC0415 -- the machine's clock belongs to this one helper

    now = datetime.now(UTC).replace(microsecond=0)
    path = outlet.file("red.xml", cap("r1", "Extreme", sent=now))
    outlet("--policy", outlet.policy, "ingest", path)


def test_a_held_red_is_released_by_the_approval_of_one_person(outlet: Outlet) -> None:
    now_red(outlet)
    assert outlet.json("board")["districts"][0]["released_revision"] is None
    decided = outlet.json("approve", "North", "Heavy rain", "--by", "Officer A")
    assert decided["district"] == "N1"
    assert decided["hazard"] == RAIN
    assert decided["events"] == ["release-approved", "hold-ended", "warning-released"]
    assert len(decided["released"]) == 1
    told = outlet.json("explain", "N1")
    assert [approval["by"] for approval in told["release"]["approvals"]] == ["Officer A"]
    assert "nothing is held" in outlet("approve", "N1", RAIN, "--by", "Officer B", code=1).stderr


def test_a_refused_red_is_not_released_and_the_reason_is_kept(outlet: Outlet) -> None:
    now_red(outlet)
    decided = outlet.json("refuse", "N1", RAIN, "--by", "Officer A", "--reason", "the gauge is broken")
    assert decided["released"] == []
    assert outlet.json("board")["districts"][0]["released_revision"] is None
    assert "the gauge is broken" in outlet("history", "N1").stdout


def test_a_refusal_needs_a_reason_and_a_name(outlet: Outlet) -> None:
    now_red(outlet)
    outlet("refuse", "N1", RAIN, "--by", "Officer A", code=2)
    outlet("refuse", "N1", RAIN, "--by", " ", "--reason", "why", code=2)
    outlet("refuse", "N1", RAIN, "--by", "Officer A", "--reason", " ", code=2)


def test_a_settled_conflict_names_who_settled_it_and_why(outlet: Outlet) -> None:
    outlet.ingest(cap("a1", "Minor"), cap("w1", "Severe", sender=WATER))
    at = "2031-03-04T08:30:00+00:00"
    (section,) = outlet.json("board", "--at", at)["districts"][0]["sections"]
    assert section["conflict"]["levels"] == {"weather": "blue", "water": "orange"}
    assert "OPEN" in outlet("board", "--at", at).stdout
    decided = outlet.json("settle", "N1", "暴雨", "--by", "Officer A", "--reason", "the higher level stands")
    assert decided["events"][0] == "conflict-settled"
    assert "the higher level stands" in outlet("history", "N1").stdout
    assert "no conflict" in outlet("settle", "N1", RAIN, "--by", "B", "--reason", "again", code=1).stderr


def test_an_unknown_hazard_or_district_is_named_in_one_line(outlet: Outlet) -> None:
    outlet.ingest(cap("a1"))
    for place, hazard in (("N1", "meteors"), ("Nowhere", RAIN)):
        result = outlet("approve", place, hazard, "--by", "A", code=1)
        assert ("meteors" in result.stderr) or ("Nowhere" in result.stderr)
        assert "Traceback" not in result.output


def test_a_decision_makes_no_data_directory(outlet: Outlet) -> None:
    outlet("approve", "N1", RAIN, "--by", "A", code=1)
    assert not outlet.data.exists()
