"""A real provincial 12379 message over a whole province, read, merged and written back."""

from datetime import datetime
from pathlib import Path

from adapters.clocks import ManualClock
from adapters.cn12379.reader import Cn12379Reader
from adapters.cn12379.writer import Cn12379Writer
from adapters.settings import Settings
from adapters.wiring import build
from domain.events import WarningReleased
from domain.levels import Level
from domain.messages import MessageType, Mode
from streams.intake import Delivery, Outcome

POLICY = Path(__file__).resolve().parents[2] / "docs" / "examples" / "henan" / "policy.toml"


def test_a_provincial_gale_warning_is_merged_in_every_county_and_written_back_as_12379(
    shared_data: Path, tmp_path: Path
) -> None:
    content = (shared_data / "messages" / "cap12379_sample_henan_20200205.xml").read_bytes()
    [original] = Cn12379Reader().read(content)
    clock = ManualClock(datetime.fromisoformat("2020-02-05T11:00:00+08:00"))
    with build(Settings(data_dir=tmp_path, policy=str(POLICY)), clock=clock) as platform:
        [receipt] = platform.runner.submit([Delivery(content=content, agency=None, source="test")])
        platform.runner.pump()
        assert receipt.outcome is Outcome.ACCEPTED
        [section] = platform.house.ledger.outlet("410102", Mode.LIVE).sections
        assert (section.hazard, section.level) == ("11B06", Level.BLUE)
        releases = [r.event for r in platform.log.read() if isinstance(r.event, WarningReleased)]
        assert len(releases) == len(platform.gazetteer.districts())
        [(name, document)] = Cn12379Writer(platform.policy, platform.gazetteer).write(releases[0])
    [written] = Cn12379Reader().read(document)
    assert name.endswith("_11B06_BLUE_ALERT.XML")
    assert written.message_type is MessageType.ALERT
    assert written.infos[0].level is original.infos[0].level
    assert written.infos[0].description == original.infos[0].description
    assert [code.value for code in written.infos[0].areas[0].geocodes] == [releases[0].district + "000000"]
