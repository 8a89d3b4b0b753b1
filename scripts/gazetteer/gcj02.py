"""GCJ-02 to WGS 84 and back, as the public domain knows the offset.

The offset is not published officially; the formula and its constants (Krasovsky 1940 ellipsoid) are the widely
reproduced reverse-engineered ones, described in Wikipedia's "Restrictions on geographic data in China" under
"GCJ-02". The inverse has no closed form: it is found by fixed-point iteration.
"""

import math

SEMI_MAJOR_AXIS_METRES = 6378245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323
MOST_STEPS = 30


def _northing(x: float, y: float) -> float:
    metres = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    metres += (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    metres += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    metres += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    return metres


def _easting(x: float, y: float) -> float:
    metres = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    metres += (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    metres += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    metres += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    return metres


def from_wgs84(longitude: float, latitude: float) -> tuple[float, float]:
    """A WGS 84 position in GCJ-02, both (longitude, latitude) in degrees; for places inside mainland China only."""
    x, y = longitude - 105.0, latitude - 35.0
    radians = math.radians(latitude)
    magic = 1 - ECCENTRICITY_SQUARED * math.sin(radians) ** 2
    meridian = SEMI_MAJOR_AXIS_METRES * (1 - ECCENTRICITY_SQUARED) / (magic * math.sqrt(magic))
    parallel = SEMI_MAJOR_AXIS_METRES / math.sqrt(magic) * math.cos(radians)
    return longitude + math.degrees(_easting(x, y) / parallel), latitude + math.degrees(_northing(x, y) / meridian)


def to_wgs84(longitude: float, latitude: float, *, tolerance_degrees: float = 1e-7) -> tuple[float, float]:
    """A GCJ-02 position in WGS 84, both (longitude, latitude) in degrees, to within the tolerance.

    Raises:
        ArithmeticError: the iteration did not settle, which does not happen inside China.
    """
    guess_longitude, guess_latitude = longitude, latitude
    for _ in range(MOST_STEPS):
        shown_longitude, shown_latitude = from_wgs84(guess_longitude, guess_latitude)
        error_longitude, error_latitude = shown_longitude - longitude, shown_latitude - latitude
        if max(abs(error_longitude), abs(error_latitude)) < tolerance_degrees:
            return guess_longitude, guess_latitude
        guess_longitude -= error_longitude
        guess_latitude -= error_latitude
    message = f"no WGS 84 position found for {longitude}, {latitude}"
    raise ArithmeticError(message)
