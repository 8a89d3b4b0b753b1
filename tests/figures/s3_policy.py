"""The outlet that S3 is held against: Shaoxing's policy with boundaries and four agencies more, and what they may say.

What an agency may say is read here from the policy's text as plain TOML, so that the judgement does not depend on the
code that is judged.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

LEVELS = ("white", "blue", "yellow", "orange", "red")
OWN = "330603"
"""The one district of the agency that has only one."""

SQUARE_DEGREES = 0.2
SOUTH, WEST = 29.6, 120.4
CORNERS = {
    "330681": (0, 0),
    "330602": (0, 1),
    "330624": (0, 2),
    "330683": (1, 0),
    OWN: (1, 1),
    "330604": (1, 2),
}
"""Two rows of three squares, by row and column from the south west: the agency's own one has neighbours on three
sides, and nobody's land in the north."""

ADDED = """
[[agencies]]
id = "narrow"
names = { "zh-CN" = "柯桥区水利局", en = "Keqiao Water" }
senders = ["narrow@shaoxing.example"]
remit = { hazards = ["11A51"], areas = ["330603"], levels = ["blue", "yellow"] }

[[agencies]]
id = "township"
names = { "zh-CN" = "样例街道", en = "One Township" }
senders = ["township@shaoxing.example"]
remit = { hazards = ["*"], areas = ["330603001"], levels = ["yellow"] }

[[agencies]]
id = "closed"
names = { "zh-CN" = "已停用单位", en = "Closed" }
senders = ["closed@shaoxing.example"]
disabled = true
remit = { hazards = ["*"] }

[[agencies]]
id = "nothing"
names = { "zh-CN" = "无权单位", en = "Nothing" }
senders = ["nothing@shaoxing.example"]
remit = { hazards = [] }

[[hazards]]
code = "LOCAL1"
names = { "zh-CN" = "样例暴雨", en = "Local rain" }
merges_into = "11B03"

"""


@dataclass(frozen=True)
class Speaker:
    """An agency by the policy's text: the address it sends as, and its remit."""

    id: str
    sender: str
    senders: tuple[str, ...]
    disabled: bool
    hazards: frozenset[str]
    areas: frozenset[str]
    levels: frozenset[str]

    def may_say(self, hazard: str) -> bool:
        """Whether the hazard is in its remit."""
        return bool(self.hazards & {"*", hazard})


def write_policy(folder: Path, boundaries: Mapping[str, Any] | None = None) -> Path:
    """The policy's file, with boundaries beside it; by default the made-up squares."""
    text = (resources.files("adapters.policies") / "shaoxing.toml").read_text(encoding="utf-8")
    head, mark, rest = text.partition("[gazetteer]\n")
    assert mark, "the shipped policy has no [gazetteer]"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "policy.toml"
    path.write_text(f'{head}{ADDED}{mark}boundaries = "boundaries.geojson"\n{rest}', encoding="utf-8")
    document = boundaries or squares()
    (folder / "boundaries.geojson").write_text(json.dumps(document), encoding="utf-8")
    return path


def speakers(policy: Path) -> list[Speaker]:
    """Every agency of the policy's text."""
    document = tomllib.loads(policy.read_text(encoding="utf-8"))
    return [_speaker(agency) for agency in document["agencies"]]


def _speaker(agency: Mapping[str, Any]) -> Speaker:
    senders = tuple(agency["senders"])
    return Speaker(
        id=agency["id"],
        sender=next(sender for sender in senders if "@" in sender),
        senders=senders,
        disabled=agency.get("disabled", False),
        hazards=frozenset(agency["remit"]["hazards"]),
        areas=frozenset(agency["remit"].get("areas", ["*"])),
        levels=frozenset(agency["remit"].get("levels", LEVELS)),
    )


def hazard_codes() -> list[str]:
    """Every code of the national catalogue, and the policy's own."""
    table = (resources.files("adapters.policies") / "hazards_cn.tsv").read_text(encoding="utf-8")
    return [*(line.split("\t")[0] for line in table.splitlines()[1:] if line), "LOCAL1"]


def square(row: float, column: float, height: float = 1, width: float = 1) -> list[tuple[float, float]]:
    """A closed ring of (latitude, longitude), in units of the squares, from the south west."""
    south, west = SOUTH + row * SQUARE_DEGREES, WEST + column * SQUARE_DEGREES
    north, east = south + height * SQUARE_DEGREES, west + width * SQUARE_DEGREES
    return [(south, west), (south, east), (north, east), (north, west), (south, west)]


def written(ring: Sequence[tuple[float, float]]) -> str:
    """A ring as CAP writes it, to a tenth of a millimetre."""
    return " ".join(f"{latitude:.9f},{longitude:.9f}" for latitude, longitude in ring)


def squares() -> dict[str, Any]:
    """The districts as squares, in GeoJSON."""
    return collection({code: [[[[x, y] for y, x in square(*corner)]]] for code, corner in CORNERS.items()})


def collection(parts: Mapping[str, Any]) -> dict[str, Any]:
    """A FeatureCollection of multi-polygons by code."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": code},
            "geometry": {"type": "MultiPolygon", "coordinates": coordinates},
        }
        for code, coordinates in parts.items()
    ]
    return {"type": "FeatureCollection", "features": features}


def real_boundaries(shared: Path) -> dict[str, Any]:
    """The six counties' boundaries from the shared data, read in place."""
    parts = {}
    for code in CORNERS:
        document = json.loads((shared / "shaoxing" / f"{code}000000.geojson").read_text(encoding="utf-8"))
        feature = document["features"][0] if "features" in document else document
        geometry = feature["geometry"]
        is_multi = geometry["type"] == "MultiPolygon"
        parts[code] = geometry["coordinates"] if is_multi else [geometry["coordinates"]]
    return collection(parts)
