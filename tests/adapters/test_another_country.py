"""A national sender of another country, taken in for real: nothing in the domain knows China."""

from datetime import datetime
from pathlib import Path

from lxml import etree

from adapters.clocks import ManualClock
from adapters.settings import Settings
from adapters.wiring import build
from domain.events import WarningReleased
from domain.levels import Level
from domain.messages import Mode
from streams.intake import Delivery, Outcome

POLICY = Path(__file__).resolve().parents[2] / "docs" / "examples" / "three-coasts" / "policy.toml"
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
CHAIN = ("1c6d16b27b", "1ebbf991f5", "07e9453e4f")
"""An alert of October 2014 and the two updates that follow it, each naming the one before."""


def test_a_mexican_chain_becomes_one_outlet_warning_in_districts_from_a_geojson_file(
    shared_data: Path, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, policy=str(POLICY))
    contents = [next((shared_data / "cap" / "valid").glob(f"*{name}*")).read_bytes() for name in CHAIN]
    clock = ManualClock(_sent(contents[0]))
    with build(settings, clock=clock) as platform:
        for content in contents:
            platform.advance(max(clock.now(), _sent(content)))
            [receipt] = platform.runner.submit([Delivery(content=content, agency=None, source="test")])
            platform.runner.pump()
            assert (receipt.outcome, receipt.agency) == (Outcome.ACCEPTED, "weather-service"), receipt
        [section] = platform.house.ledger.outlet("TC-SOUTH", Mode.LIVE).sections
        assert (section.hazard, section.level) == ("tropical-cyclone", Level.RED)
        said = section.contributors[0].wordings[0].description
        assert said == _text(contents[-1], "description")
        releases = [r.event for r in platform.log.read() if isinstance(r.event, WarningReleased)]
        document = etree.fromstring(next(r for r in releases if r.district == "TC-SOUTH").cap.encode())
        infos = document.findall(f"{CAP}info")
        assert [info.findtext(f"{CAP}language") for info in infos] == ["es", "en"]
        assert infos[0].findtext(f"{CAP}area/{CAP}areaDesc") == "Costa Sur"
        assert infos[0].find(f"{CAP}area/{CAP}polygon") is not None


def _sent(content: bytes) -> datetime:
    return datetime.fromisoformat(etree.fromstring(content).findtext(f"{CAP}sent") or "")


def _text(content: bytes, name: str) -> str:
    return etree.fromstring(content).findtext(f"{CAP}info/{CAP}{name}") or ""
